import { audienceProfile } from './reading/audience.ts'
import { stemsOf } from './reading/terms.ts'
import { styleProfile } from './reading/style.ts'
import { wordsOf } from './reading/words.ts'
import type { WorkflowContent } from './schema.ts'
import type { PlacedTask } from './task-list.ts'

/** How far a workflow's form is what style and audience ask for. */
export interface Fit {
  /** 1 when the form is the style's, 0.5 when it is another. */
  form: number
  /** What is said of the form; empty when it fits. */
  reasons: string[]
  /** One line an offence: people without a role, steps too long, tasks without a note. */
  offences: string[]
}

/** Holds a workflow, or some of its tasks, against the style and audience in its metadata. */
export function fitOf(content: WorkflowContent, tasks: readonly PlacedTask[]): Fit {
  const style = styleProfile(content.metadata.style)
  const audience = audienceProfile(content.metadata.audience)
  const fits = content.form === style.form
  return {
    form: fits ? 1 : 0.5,
    reasons: fits ? [] : [`the style asks for ${style.form}, and the form is ${content.form}`],
    offences: [
      ...peopleWithoutRole(content).map(
        (person) => `the audience names "${person}", and no role does`,
      ),
      ...tasks.flatMap(({ task }) => [
        ...task.steps.flatMap((step, i) => {
          const { length } = wordsOf(step)
          return length > style.mostWords
            ? [
                `step ${i + 1} of ${task.id} has ${length} words, the style asks for ${style.mostWords}`,
              ]
            : []
        }),
        ...(audience.level === 'newcomer' && task.note === ''
          ? [`the task ${task.id} does not tell newcomers why`]
          : []),
      ]),
    ],
  }
}

/** The people that the audience names, and no role does. */
export function peopleWithoutRole({
  metadata,
  roles,
}: Pick<WorkflowContent, 'metadata' | 'roles'>): string[] {
  const named = stemsOf(roles.map(({ name }) => name).join('\n'))
  return audienceProfile(metadata.audience).people.filter(
    (person) => ![...stemsOf(person)].some((stem) => named.has(stem)),
  )
}
