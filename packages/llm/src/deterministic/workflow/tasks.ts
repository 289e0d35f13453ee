import type { WorkflowOutlineDraft, WorkflowTasksDraft } from '@almanac/documents'
import type { ChosenTask } from './choose-tasks.ts'
import type { Plan } from './plan.ts'
import { doneOf, noteOf, outputName, stepsOf, taskName } from './wording.ts'

type Outline = WorkflowOutlineDraft
type TaskDraft = WorkflowTasksDraft['tasks'][number]

/**
 * The answer of the phase `how-to`, for an outline that may be anybody's: tasks go to the phase of their
 * key, else to one of their kind, else to the last, but never before that of an earlier task; roles likewise. Each task needs what the one before
 * it made: within its clause, or, where it begins one, what the clause before and the groundwork made.
 */
export function composeTasks(plan: Plan, outline: Outline): WorkflowTasksDraft {
  const flow = flowOf(plan, outline)
  // Tasks need those before them: one that stood in an earlier phase would make the phases wait in a circle.
  let reached = 0
  const phaseFor = (key: string, kind: string): string => {
    reached = Math.max(reached, phaseIn(outline, key, kind))
    return outline.phases[reached]?.key ?? key
  }
  return {
    tasks: plan.phases.flatMap(({ phase, tasks }) =>
      tasks.map((task): TaskDraft => {
        const role = roleIn(outline, plan.cast.of(task.archetype.kind).key)
        return {
          key: task.key,
          name: taskName(plan.voice, task),
          phase: phaseFor(phase.key, task.archetype.kind),
          role: role.key,
          steps: stepsOf(plan.voice, task, role.name),
          inputs: flow(task),
          outputs: [{ key: outputKey(task), name: outputName(plan.voice, task) }],
          done: doneOf(plan.voice, task),
          note: noteOf(plan.voice, task),
        }
      }),
    ),
  }
}

const outputKey = ({ key }: ChosenTask): string => `${key}-result`

/** The index of the phase for a task: that of its key, else one of its kind, else the last. */
function phaseIn({ phases }: Outline, key: string, kind: string): number {
  const own = phases.findIndex((phase) => phase.key === key)
  if (own >= 0) return own
  const like = phases.findIndex((phase) => phase.kind === kind)
  return like >= 0 ? like : Math.max(0, phases.length - 1)
}

const roleIn = ({ roles }: Outline, key: string): Outline['roles'][number] =>
  roles.find((role) => role.key === key) ?? roles[0] ?? { key, name: 'Lead', duty: '' }

/** What each task needs, as keys of inputs and outputs. */
function flowOf({ phases, clauses }: Plan, outline: Outline): (task: ChosenTask) => string[] {
  const all = phases.flatMap(({ tasks }) => tasks)
  const of = (clause: number | undefined) => all.filter((task) => task.clause === clause)
  const isEarly = ({ archetype: { kind } }: ChosenTask) => kind === 'prepare' || kind === 'gather'
  const ground = of(undefined).filter(isEarly)
  const inputKeys = outline.inputs.map(({ key }) => key)
  const inputOf = (clause: number): string[] => {
    const own = `input-${clauses[clause]?.act ?? ''}`
    return inputKeys.includes(own) ? [own] : inputKeys.slice(0, 1)
  }
  return (task) => {
    const { clause } = task
    if (clause === undefined) {
      if (isEarly(task)) return inputOf(0)
      return of(clauses.length - 1)
        .slice(-1)
        .map(outputKey)
    }
    const own = of(clause)
    const before = own[own.indexOf(task) - 1]
    if (before) return [outputKey(before)]
    return [
      ...inputOf(clause),
      ...(clause === 0 ? ground : of(clause - 1).slice(-1)).map(outputKey),
    ]
  }
}
