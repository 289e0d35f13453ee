import {
  coverageOf,
  makersOf,
  mostNamedOf,
  namedIn,
  tasksOf,
  termsOf,
  type Term,
  type WorkflowContent,
  type WorkflowPhase,
  type WorkflowTask,
} from '@almanac/documents'
import { composeTasks } from '../tasks.ts'
import { identified, outlineOf } from './draft.ts'
import { changeTasks, freeId, idsOf, rootOf, type Move } from './material.ts'
import { sourcesFor } from './sources.ts'

type TaskDraft = ReturnType<typeof composeTasks>['tasks'][number]

/**
 * The tasks that the composer has for this purpose and the workflow has not, as far as they are missed:
 * because they name a word of the purpose, or of a phase's goal, that no task takes up, make what
 * another task needs, or belong to a phase without tasks. A workflow laid out as the composer does it also
 * gets the phases of those.
 */
export const withMissingTasks: Move = (workflow, { plan, composed }) => {
  const framed = withPhasesOf(workflow, composed)
  const taken = idsOf(workflow)
  const planned = composeTasks(plan, outlineOf(framed)).tasks
  const isMissed = missedIn(framed)
  const added = planned.filter((task) => !taken.has(task.key) && isMissed(task))
  if (added.length === 0) return workflow
  const ranks = new Map(planned.map(({ key }, i) => [key, i]))
  const filled = added.reduce((now, task) => withTask(now, task, ranks, taken), framed)
  const ids = new Set(added.map(({ key }) => key))
  const tied = changeTasks(filled, ({ task }, now) =>
    ids.has(task.id) ? { ...task, inputs: sourcesFor(now, task, task.inputs) } : task,
  )
  const isOld = ({ id }: WorkflowPhase) => workflow.phases.some((phase) => phase.id === id)
  return {
    ...tied,
    phases: tied.phases.filter((phase) => phase.tasks.length > 0 || isOld(phase)),
  }
}

/** Half of the composer's phases make a workflow one of its own. */
const fewestShared = 0.5

/** The composer's phases that are missing, empty, each before those that it comes before. */
function withPhasesOf(workflow: WorkflowContent, composed: WorkflowContent): WorkflowContent {
  // Sub-phases stand for the phase that they are within.
  const own = new Set(
    workflow.phases.flatMap(({ id, within = [] }) => [id, ...within.map((one) => one.id)]),
  )
  const shared = composed.phases.filter(({ id }) => own.has(id))
  if (workflow.phases.length > 0 && shared.length < fewestShared * composed.phases.length)
    return workflow
  const taken = idsOf(workflow)
  const order = composed.phases.map(({ id }) => id)
  const phases = [...workflow.phases]
  for (const phase of composed.phases) {
    if (own.has(phase.id) || taken.has(phase.id)) continue
    const rank = order.indexOf(phase.id)
    const at = phases.findIndex((one) => order.indexOf(rootOf(one)) > rank)
    phases.splice(at < 0 ? phases.length : at, 0, { ...phase, tasks: [] })
  }
  return { ...workflow, phases }
}

/**
 * Whether a task would fill a gap. What one task fills is no gap for the next; and what a faulty task
 * names is none, since that task is there to be corrected.
 */
function missedIn(workflow: WorkflowContent): (task: TaskDraft) => boolean {
  const terms = termsOf(workflow.metadata.purpose)
  const tasks = tasksOf(workflow)
  const openOf = (asked: readonly Term[], own: typeof tasks) =>
    new Set(coverageOf(asked, own, [], mostNamedOf(terms)).missing.map(({ stem }) => stem))
  const whole = openOf(terms, tasks)
  const ofPhase = new Map(
    workflow.phases.map((phase) => {
      const own = tasks.filter((one) => one.phase === phase)
      return [phase.id, openOf(namedIn(terms, phase.goal), own)]
    }),
  )
  const empty = new Set(
    workflow.phases
      .filter(({ id, tasks: own }) => {
        const isUsed = workflow.modules.some((one) => one.phase === id && one.registered !== null)
        return own.length === 0 && !isUsed
      })
      .map(({ id }) => id),
  )
  const made = makersOf(workflow)
  const needed = new Set(
    tasks.flatMap(({ task }) => task.inputs).filter((input) => !made.has(input)),
  )
  return ({ phase, name, steps, outputs, done }) => {
    const said = [name, ...steps, ...outputs.map((output) => output.name), done].join('\n')
    const own = ofPhase.get(phase) ?? new Set<string>()
    const fills = namedIn(terms, said).filter(({ stem }) => whole.has(stem) || own.has(stem))
    for (const { stem } of fills) {
      whole.delete(stem)
      own.delete(stem)
    }
    return fills.length > 0 || empty.has(phase) || outputs.some(({ key }) => needed.has(key))
  }
}

/** The task in its phase, before the first one that the composer has after it. */
function withTask(
  workflow: WorkflowContent,
  { phase: phaseId, ...draft }: TaskDraft,
  ranks: ReadonlyMap<string, number>,
  taken: Set<string>,
): WorkflowContent {
  taken.add(draft.key)
  const outputs = draft.outputs.map((output) => ({
    id: freeId(taken, output.key),
    name: output.name,
  }))
  const task: WorkflowTask = { ...identified(draft), outputs }
  const rank = ranks.get(task.id) ?? 0
  return {
    ...workflow,
    phases: workflow.phases.map((phase) => {
      if (phase.id !== phaseId) return phase
      const later = phase.tasks.findIndex(({ id }) => (ranks.get(id) ?? -1) > rank)
      const at = later < 0 ? phase.tasks.length : later
      return { ...phase, tasks: phase.tasks.toSpliced(at, 0, task) }
    }),
  }
}
