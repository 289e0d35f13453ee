import { namedIn } from './coverage.ts'
import type { Term } from './reading/terms.ts'
import { wordsOf } from './reading/words.ts'
import { taskTexts, type PlacedTask } from './task-list.ts'

/** Words with which a sentence says that it does not say. */
const vague =
  /\b(?:as (?:appropriate|needed|necessary|required|applicable)|if (?:necessary|needed|applicable)|appropriately|various|etc|and so on|and so forth|somehow|properly|in a timely manner|best practices?|leverage|synerg\w+|going forward|relevant stakeholders|and more|stuff)\b/i

/** A step of fewer words says nothing that its task's name does not. */
const fewestWords = 3

/**
 * Where tasks are vague, one line an offence: words that say nothing, steps of hardly a word, and tasks
 * that have nothing to do with the purpose.
 */
export function vagueness(tasks: readonly PlacedTask[], terms: readonly Term[]): string[] {
  return tasks.flatMap(({ task }) => {
    const said = taskTexts(task).join('\n')
    const names = namedIn(terms, `${said}\n${task.outputs.map(({ name }) => name).join('\n')}`)
    return [
      ...(names.length > 0 ? [] : [`the task ${task.id} takes up nothing of the purpose`]),
      ...task.steps.flatMap((step, i) => {
        const found = vague.exec(step)?.[0]
        if (found !== undefined) return [`step ${i + 1} of ${task.id} says "${found}"`]
        const words = wordsOf(step)
        const isShort = words.length < fewestWords && /\p{Script=Latin}/u.test(step)
        return isShort ? [`step ${i + 1} of ${task.id} has hardly a word`] : []
      }),
    ]
  })
}
