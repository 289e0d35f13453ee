import {
  peopleWithoutRole,
  tasksOf,
  type WorkflowContent,
  type WorkflowPhase,
  type WorkflowTask,
} from '@almanac/documents'
import { changeTasks, counterpartOf, freeId, idsOf, inTurn, type Move } from './material.ts'
import { withAllHoused, withTrueDescriptions } from './housing.ts'
import { withMissingTasks } from './missing-tasks.ts'
import { withMissingWords } from './missing-words.ts'
import { sourcesFor } from './sources.ts'
import { concreteStep, resultOf } from './wording.ts'

/** The people of the audience have roles; where there is no role at all, those of the composer are there. */
export const withPeople: Move = (workflow, { composed }) => {
  const missing = new Set(peopleWithoutRole(workflow))
  const wanted =
    workflow.roles.length === 0
      ? composed.roles
      : composed.roles.filter(({ name }) => missing.has(name))
  if (wanted.length === 0) return workflow
  const taken = idsOf(workflow)
  const roles = wanted.map((role) => ({ ...role, id: freeId(taken, role.id) }))
  return { ...workflow, roles: [...workflow.roles, ...roles] }
}

/** In a workflow where nobody did anything, somebody does each task. */
const withDoers =
  ({ roles: before }: WorkflowContent): Move =>
  (workflow, { plan }) => {
    if (before.length > 0) return workflow
    const roles = new Set(workflow.roles.map(({ id }) => id))
    return changeTasks(workflow, ({ task, phase }) => {
      const role = plan.cast.of(phase.kind).key
      return roles.has(task.role) || !roles.has(role) ? task : { ...task, role }
    })
  }

/** What tasks need from outside is among the inputs, and there is one at least. */
const withInputs: Move = (workflow, { composed }) => {
  const ids = idsOf(workflow)
  const needed = new Set(tasksOf(workflow).flatMap(({ task }) => task.inputs))
  const missing = composed.inputs.filter(
    ({ id }) => !ids.has(id) && (workflow.inputs.length === 0 || needed.has(id)),
  )
  return missing.length === 0 ? workflow : { ...workflow, inputs: [...workflow.inputs, ...missing] }
}

/** A phase that still has no task gets the one that its goal is. */
const withFilledPhases: Move = (workflow) => {
  const isUsed = (id: string) =>
    workflow.modules.some(({ phase, registered }) => phase === id && registered !== null)
  return workflow.phases.reduce<WorkflowContent>((now, phase) => {
    if (phase.tasks.length > 0 || isUsed(phase.id)) return now
    const taken = idsOf(now)
    const task = taskOfGoal(phase, now.roles[0]?.id ?? '', (id) => freeId(taken, id))
    const phases = now.phases.map((one) => (one === phase ? { ...one, tasks: [task] } : one))
    const placed = { ...now, phases }
    return changeTasks(placed, ({ task: one }, then) =>
      one === task ? { ...one, inputs: sourcesFor(then, one, []) } : one,
    )
  }, workflow)
}

const taskOfGoal = (
  { id, name, goal }: WorkflowPhase,
  role: string,
  free: (id: string) => string,
): WorkflowTask => ({
  id: free(`${id.slice(0, 40).replace(/-+$/, '')}-goal`),
  name,
  role,
  steps: [goal],
  inputs: [],
  outputs: [
    { id: free(`${id.slice(0, 36).replace(/-+$/, '')}-goal-result`), name: resultOf(name) },
  ],
  done: goal,
  note: '',
})

/** Every task has steps, inputs and outputs. */
const withWholeTasks: Move = (workflow, material) =>
  changeTasks(workflow, ({ task }, now) => {
    const own = counterpartOf(material, task.id)
    let whole = task
    if (whole.outputs.length === 0) {
      const taken = idsOf(now)
      const wanted = own?.outputs ?? [{ id: `${task.id}-result`, name: resultOf(task.name) }]
      whole = { ...whole, outputs: wanted.map((one) => ({ ...one, id: freeId(taken, one.id) })) }
    }
    if (whole.steps.length === 0) whole = { ...whole, steps: own?.steps ?? [concreteStep(whole)] }
    if (whole.inputs.length === 0)
      whole = { ...whole, inputs: sourcesFor(now, task, own?.inputs ?? []) }
    return whole
  })

/**
 * Adds what is missing: roles, inputs, phases and tasks that the purpose asks for, steps, inputs and
 * outputs of tasks that have none, and a module for every task. Nothing is taken away.
 */
export const closeCoverageGaps: Move = (workflow, material) =>
  inTurn(
    withPeople,
    withDoers(workflow),
    withInputs,
    withWholeTasks,
    withMissingTasks,
    withFilledPhases,
    withMissingWords,
    withAllHoused,
    withTrueDescriptions(workflow),
  )(workflow, material)
