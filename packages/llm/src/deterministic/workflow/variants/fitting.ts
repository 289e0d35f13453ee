import {
  audienceProfile,
  styleProfile,
  wordsOf,
  workflowLimits,
  type WorkflowTask,
} from '@almanac/documents'
import { lowerFirst, shortened } from '../wording.ts'
import { changeTasks, counterpartOf, type Move } from './material.ts'
import { inFewWords } from './wording.ts'

/** The form that the style asks for. */
export const inForm: Move = (workflow) => {
  const { form } = styleProfile(workflow.metadata.style)
  return workflow.form === form ? workflow : { ...workflow, form }
}

/** Steps as long as the style asks for: a longer one becomes several, as far as its sentences let it. */
export const inStepLength: Move = (workflow) => {
  const { mostWords } = styleProfile(workflow.metadata.style)
  return changeTasks(workflow, ({ task }) => {
    if (task.steps.every((step) => wordsOf(step).length <= mostWords)) return task
    const parts = task.steps.flatMap((step) => partsOf(step, mostWords))
    const steps =
      parts.length <= workflowLimits.steps
        ? parts
        : task.steps.map((step) => inFewWords(step, mostWords))
    return { ...task, steps }
  })
}

/** A part of fewer words says nothing by itself. */
const fewestWords = 3

function partsOf(step: string, most: number): string[] {
  if (wordsOf(step).length <= most) return [step]
  const parts: string[] = []
  for (const sentence of step.split(/(?<=[.!?])\s+/)) {
    const last = parts.at(-1)
    const joined = last === undefined ? sentence : `${last} ${sentence}`
    if (last !== undefined && wordsOf(joined).length <= most) parts[parts.length - 1] = joined
    else parts.push(sentence)
  }
  return parts
    .map((part) => inFewWords(part, most))
    .filter((part, _, all) => all.length === 1 || wordsOf(part).length >= fewestWords)
}

/** Newcomers are told with every task why it is done. */
export const withReasons: Move = (workflow, material) => {
  if (audienceProfile(workflow.metadata.audience).level !== 'newcomer') return workflow
  return changeTasks(workflow, ({ task }) =>
    task.note === ''
      ? { ...task, note: counterpartOf(material, task.id)?.note || reasonOf(task) }
      : task,
  )
}

const reasonOf = ({ outputs, name }: WorkflowTask): string =>
  shortened(
    `Without it there is no “${lowerFirst(outputs[0]?.name ?? name)}”, and who comes next would miss it.`,
    workflowLimits.sentenceCharacters,
  )
