import {
  styleProfile,
  tasksOf,
  workflowLimits,
  type WorkflowContent,
  type WorkflowTask,
} from '@almanac/documents'
import { shortened } from '../wording.ts'
import { withDistinctSteps } from './distinct.ts'
import { changeTasks, inTurn, type Move } from './material.ts'
import { mapTexts } from './texts.ts'
import { inFewWords } from './wording.ts'

const most = workflowLimits

/** Texts in as many characters as there are for them: their first sentences, or where the first is too long, inside that. */
const withShortTexts: Move = (workflow) =>
  mapTexts(workflow, (text, characters) => {
    if (text.length <= characters) return text
    const kept = text.slice(0, characters)
    const end = Math.max(...['. ', '! ', '? '].map((mark) => kept.lastIndexOf(mark)))
    return end > 0 ? kept.slice(0, end + 1) : shortened(text, characters)
  })

/** Steps in as many words as the style gives them. */
const withShortSteps: Move = (workflow) => {
  const { mostWords } = styleProfile(workflow.metadata.style)
  return changeTasks(workflow, ({ task }) => {
    const steps = task.steps.map((step) => inFewWords(step, mostWords))
    return steps.every((step, i) => step === task.steps[i]) ? task : { ...task, steps }
  })
}

/** Of more steps, inputs, outputs and roles than there is room for, those go that are needed least. */
const withinRoom: Move = (workflow) => {
  const needed = new Set(tasksOf(workflow).flatMap(({ task }) => task.inputs))
  const busy = new Set(tasksOf(workflow).map(({ task }) => task.role))
  const isNeeded = ({ id }: { id: string }) => needed.has(id)
  const slim = (task: WorkflowTask): WorkflowTask => ({
    ...task,
    steps: task.steps.slice(0, most.steps),
    inputs: task.inputs.slice(0, most.links),
    outputs: first(task.outputs, most.links, isNeeded),
  })
  const isWide = ({ steps, inputs, outputs }: WorkflowTask) =>
    steps.length > most.steps || Math.max(inputs.length, outputs.length) > most.links
  const slimmed: WorkflowContent = changeTasks(workflow, ({ task }) =>
    isWide(task) ? slim(task) : task,
  )
  return {
    ...slimmed,
    roles: first(slimmed.roles, most.roles, ({ id }) => busy.has(id)),
    inputs: first(slimmed.inputs, most.inputs, isNeeded),
  }
}

/** At most `room` of a list, in its order: first those that are needed. */
function first<T>(list: readonly T[], room: number, isNeeded: (one: T) => boolean): T[] {
  const ranked = [...list.filter(isNeeded), ...list.filter((one) => !isNeeded(one))]
  const kept = new Set(ranked.slice(0, room))
  return list.filter((one) => kept.has(one))
}

/** Says the same in less: what is too long is cut, what is said twice is said once, what is too much goes. */
export const shortenWorkflow: Move = inTurn(
  withDistinctSteps,
  withShortTexts,
  withShortSteps,
  withinRoom,
)
