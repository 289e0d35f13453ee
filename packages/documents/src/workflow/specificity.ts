import { namedIn } from './coverage.ts'
import type { Term } from './reading/terms.ts'
import { wordsOf } from './reading/words.ts'
import { taskTexts, type PlacedTask } from './task-list.ts'

/** Words with which a sentence says that it does not say. */
const vague =
  /\b(?:as (?:appropriate|needed|necessary|required|applicable)|if (?:necessary|needed|applicable)|appropriately|various|etc|and so on|and so forth|somehow|properly|in a timely manner|best practices?|leverage|synerg\w+|going forward|relevant stakeholders|and more|stuff)\b/i

/** A step of fewer words says nothing that its task's name does not. */
const fewestWords = 3

/** One place where a task is vague. */
export interface Vague {
  /** Path of the task. */
  path: string
  /** Index of the step that says it; undefined where the whole task is meant. */
  step: number | undefined
  /** What is wrong, in a line. */
  text: string
}

/** The words with which a sentence says that it does not say; undefined where it has none. */
export const vagueWords = (text: string): string | undefined => vague.exec(text)?.[0]

/**
 * Where tasks are vague, one an offence: words that say nothing, steps of hardly a word, and tasks that
 * have nothing to do with the purpose.
 */
export function vagueness(tasks: readonly PlacedTask[], terms: readonly Term[]): Vague[] {
  return tasks.flatMap(({ task, path }) => {
    const said = taskTexts(task).join('\n')
    const names = namedIn(terms, `${said}\n${task.outputs.map(({ name }) => name).join('\n')}`)
    const nothing = `the task ${task.id} takes up nothing of the purpose`
    return [
      ...(names.length > 0 ? [] : [{ path, step: undefined, text: nothing }]),
      ...task.steps.flatMap((step, i) => {
        const found = vagueWords(step)
        if (found !== undefined)
          return [{ path, step: i, text: `step ${i + 1} of ${task.id} says "${found}"` }]
        return saysHardlyAWord(step)
          ? [{ path, step: i, text: `step ${i + 1} of ${task.id} has hardly a word` }]
          : []
      }),
    ]
  })
}

/** Whether a step is too short to say anything; other scripts than Latin need fewer words. */
export const saysHardlyAWord = (step: string): boolean =>
  wordsOf(step).length < fewestWords && /\p{Script=Latin}/u.test(step)
