import { makersOf, tasksOf, type WorkflowContent } from '@almanac/documents'
import type { PhaseKind } from '@almanac/domain'
import type { Module } from './housing.ts'
import { changeTasks, counterpartOf, inTurn, type Move } from './material.ts'
import { sourcesFor } from './sources.ts'

/** Tasks are done by roles that are there, and need what is there. */
const withKnownNeeds: Move = (workflow, material) =>
  changeTasks(workflow, ({ task, phase }, now) => {
    const known = new Set([...now.inputs.map(({ id }) => id), ...makersOf(now).keys()])
    const roles = now.roles.map(({ id }) => id)
    const role = roles.includes(task.role)
      ? task.role
      : ([material.plan.cast.of(phase.kind).key, roles[0]].find((id) => roles.includes(id ?? '')) ??
        task.role)
    const kept = task.inputs.filter((input) => known.has(input))
    if (role === task.role && kept.length === task.inputs.length) return task
    const wanted = counterpartOf(material, task.id)?.inputs ?? []
    return {
      ...task,
      role,
      inputs: kept.length > 0 ? [...new Set(kept)] : sourcesFor(now, task, wanted),
    }
  })

/** Modules are of phases that are there, hold tasks of them, each once, and depend on what is there. */
const withKnownMembers: Move = (workflow, { runPackage }) => {
  const phaseOf = new Map(tasksOf(workflow).map(({ task, phase }) => [task.id, phase.id]))
  const phases = workflow.phases.map(({ id }) => id)
  const definitions = new Map((runPackage.modules ?? []).map((one) => [one.key, one]))
  const ids = new Set(workflow.modules.map(({ id }) => id))
  const held = new Set<string>()
  const used = new Set<string>()
  const modules = workflow.modules.flatMap((module): Module[] => {
    const definition = definitions.get(module.registered ?? '')
    const isSecond = definition !== undefined && used.has(definition.key)
    if (definition) used.add(definition.key)
    if (isSecond) return []
    const first = module.tasks.map((task) => phaseOf.get(task)).find((id) => id !== undefined)
    const phase = phases.includes(module.phase)
      ? module.phase
      : (first ?? phaseOfKind(workflow, definition?.phase))
    const tasks = module.tasks.filter((task) => {
      if (phaseOf.get(task) !== phase || held.has(task)) return false
      held.add(task)
      return true
    })
    const dependsOn = [...new Set(module.dependsOn)].filter((id) => ids.has(id))
    return [{ ...module, phase, registered: definition?.key ?? null, tasks, dependsOn }]
  })
  return { ...workflow, modules }
}

/** The phase of a kind; where there is none of it, the last. */
const phaseOfKind = ({ phases }: WorkflowContent, kind: PhaseKind | undefined): string =>
  (phases.find((phase) => phase.kind === kind) ?? phases.at(-1))?.id ?? ''

/** Whatever a task or a module names is there. */
export const withKnownReferences: Move = inTurn(withKnownNeeds, withKnownMembers)
