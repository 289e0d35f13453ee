import {
  circular,
  makersOf,
  moduleDependencies,
  taskDependencies,
  tasksOf,
  type WorkflowContent,
  type WorkflowPhase,
} from '@almanac/documents'
import { phaseKinds } from '@almanac/domain'
import { withEveryDependency, withNewModule } from './housing.ts'
import { changeTasks, counterpartOf, inTurn, rootOf, type Move } from './material.ts'
import { sourcesFor } from './sources.ts'

/**
 * The tasks in the order in which they are meant to be done: by the composer's order of the phases, where
 * they are its own, else by their kinds; then as they stand.
 */
export function meantOrder(workflow: WorkflowContent, composed: WorkflowContent): string[] {
  const order = composed.phases.map(({ id }) => id)
  const isOwn = workflow.phases.every((phase) => order.includes(rootOf(phase)))
  const rank = (phase: WorkflowPhase) =>
    isOwn ? order.indexOf(rootOf(phase)) : phaseKinds.indexOf(phase.kind)
  return workflow.phases
    .map((phase, i) => ({ phase, i }))
    .sort((a, b) => rank(a.phase) - rank(b.phase) || a.i - b.i)
    .flatMap(({ phase }) => phase.tasks.map(({ id }) => id))
}

/** No task waits for itself: of a circle, what a task needs of those meant to be done after it goes. */
const withoutTaskCycles: Move = (workflow, material) => {
  const inCircle = new Set(circular(taskDependencies(workflow)))
  if (inCircle.size === 0) return workflow
  const ranks = new Map(meantOrder(workflow, material.composed).map((id, i) => [id, i]))
  const makers = makersOf(workflow)
  const isMeant = (task: string, input: string) => {
    const maker = makers.get(input)?.task.id
    if (maker === undefined || !inCircle.has(maker)) return true
    return (ranks.get(maker) ?? 0) < (ranks.get(task) ?? 0)
  }
  const cut = changeTasks(workflow, ({ task }) =>
    inCircle.has(task.id)
      ? { ...task, inputs: task.inputs.filter((input) => isMeant(task.id, input)) }
      : task,
  )
  return changeTasks(cut, ({ task }, now) => {
    if (!inCircle.has(task.id) || task.inputs.length > 0) return task
    return {
      ...task,
      inputs: sourcesFor(now, task, counterpartOf(material, task.id)?.inputs ?? []),
    }
  })
}

/**
 * No module waits for itself: of a circle, dependencies go that no task needs; where tasks of two modules
 * need each other's outputs, each of their tasks is a module.
 */
const withoutModuleCycles: Move = (workflow, material) => {
  const freed = withoutIdleCircles(workflow)
  const inCircle = new Set(circular(moduleDependencies(freed)))
  if (inCircle.size === 0) return freed
  const modules = freed.modules
    .filter(({ id }) => !inCircle.has(id))
    .map((module) => ({
      ...module,
      dependsOn: module.dependsOn.filter((id) => !inCircle.has(id)),
    }))
  const loose = new Set(
    freed.modules.filter(({ id }) => inCircle.has(id)).flatMap(({ tasks }) => tasks),
  )
  const split = tasksOf(freed)
    .filter(({ task }) => loose.has(task.id))
    .reduce(withNewModule, { ...freed, modules })
  return withEveryDependency(split, material)
}

function withoutIdleCircles(workflow: WorkflowContent): WorkflowContent {
  const inCircle = new Set(circular(moduleDependencies(workflow)))
  if (inCircle.size === 0) return workflow
  const needs = taskDependencies(workflow)
  const tasksOfModule = new Map(workflow.modules.map(({ id, tasks }) => [id, tasks]))
  return {
    ...workflow,
    modules: workflow.modules.map((module) => {
      if (!inCircle.has(module.id)) return module
      const needed = new Set(module.tasks.flatMap((task) => needs.get(task) ?? []))
      const isNeeded = (other: string) =>
        other !== module.id && (tasksOfModule.get(other) ?? []).some((task) => needed.has(task))
      const dependsOn = module.dependsOn.filter((id) => !inCircle.has(id) || isNeeded(id))
      return { ...module, dependsOn }
    }),
  }
}

/** Nothing waits for itself, directly or through others; every module waits for what its tasks need. */
export const withoutCycles: Move = inTurn(
  withoutTaskCycles,
  withEveryDependency,
  withoutModuleCycles,
)
