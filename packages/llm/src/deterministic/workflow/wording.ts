import {
  capitalised,
  type AudienceProfile,
  type StyleProfile,
  type WorkflowTasksDraft,
} from '@almanac/documents'
import { sha256 } from '@almanac/domain/hash'
import type { ChosenTask } from './choose-tasks.ts'

type TaskDraft = WorkflowTasksDraft['tasks'][number]

/** How a workflow is written: what style and audience make of every sentence. */
export interface Voice {
  style: StyleProfile
  audience: AudienceProfile
}

const mostName = 118
const mostSentence = 395

/**
 * `text` with what it is about in the place of `{object}`, and of `{they are/it is}` the half that agrees
 * with it.
 */
export const filled = (text: string, { object, isPlural }: ChosenTask['about']): string =>
  text
    .replace(/\{([^{}/]+)\/([^{}/]+)\}/g, (_, many: string, one: string) => (isPlural ? many : one))
    .replaceAll('{object}', object)

/** Words that only those in the field use, and what everybody calls it. */
const plainWords: readonly (readonly [RegExp, string])[] = [
  [/\baccrue\b/gi, 'set aside'],
  [/\bexpedite\b/gi, 'hurry'],
  [/\bquarantine\b/gi, 'set apart'],
  [/\bescalates?\b/gi, 'pass on upwards'],
  [/\bcalibrate\b/gi, 'adjust'],
  [/\bcutover\b/gi, 'switch'],
  [/\bdependants\b/gi, 'what depends on it'],
  [/\bvariances\b/gi, 'differences'],
  [/\bvariance\b/gi, 'difference'],
  [/\breconciled\b/gi, 'compared'],
  [/\bcontingency\b/gi, 'emergency'],
  [/\bdue diligence\b/gi, 'background check'],
  [/\bverbatim\b/gi, 'word for word'],
  [/\bincrements\b/gi, 'small finished parts'],
  [/\boutliers\b/gi, 'readings far from the others'],
  [/\bbaseline\b/gi, 'starting figure'],
]

/** The words of the task's name and texts as this audience knows them. */
export function inWordsOf({ audience }: Voice, text: string): string {
  if (audience.level !== 'newcomer') return text
  return plainWords.reduce(
    (plain, [word, other]) =>
      plain.replace(word, (found) => (/^\p{Lu}/u.test(found) ? capitalised(other) : other)),
    text,
  )
}

/** A task's name: an imperative, short enough to be one. */
export const taskName = (voice: Voice, { archetype, about }: ChosenTask): string =>
  shortened(inWordsOf(voice, filled(archetype.name, about)), mostName)

export const outputName = (voice: Voice, { archetype, about }: ChosenTask): string =>
  shortened(capitalised(inWordsOf(voice, filled(archetype.gives, about))), mostName)

/** The steps, as many as the audience wants and in the form that the style asks for. */
export function stepsOf(voice: Voice, task: ChosenTask, role: string): string[] {
  const { style, audience } = voice
  const wanted = { newcomer: 4, practitioner: 3, expert: 2, leader: 2 }[audience.level]
  const most = style.length === 'full' ? 4 : style.length === 'terse' ? Math.min(wanted, 3) : wanted
  const chosen = pickedSteps(task, most)
  return chosen.map((step, i) => {
    const [main = '', rest = ''] = step.split('|')
    const said = inWordsOf(voice, filled(style.length === 'terse' ? main : main + rest, task.about))
    return shortened(addressed(voice, said, role, i, chosen.length), mostSentence)
  })
}

/**
 * `most` of the task's steps in their order: the first, which opens it, and those that the hash of what
 * it is about picks.
 */
function pickedSteps({ archetype: { steps, key }, about }: ChosenTask, most: number): string[] {
  const priority = (step: string, i: number) =>
    i === 0 ? '' : sha256(`${about.object.toLowerCase()}/${key}/${step}`)
  const wanted = steps
    .map((step, i) => ({ step, by: priority(step, i) }))
    .sort((a, b) => (a.by < b.by ? -1 : 1))
    .slice(0, most)
    .map(({ step }) => step)
  return steps.filter((step) => wanted.includes(step))
}

/** An imperative as the register and the form have it. */
function addressed(
  { style: { form, register } }: Voice,
  step: string,
  role: string,
  i: number,
  count: number,
): string {
  const bare = lowerFirst(step)
  const said =
    register === 'formal'
      ? `the ${lowerFirst(role)} shall ${withoutNever(bare)}`
      : register === 'friendly'
        ? `you ${bare}`
        : bare
  if (form === 'checklist') return capitalised(said)
  if (form !== 'narrative') return `${capitalised(said)}.`
  const opener =
    i === 0 ? 'First,' : i === count - 1 ? 'Finally,' : (['Then', 'Next,'][i % 2] ?? 'Then')
  return `${opener} ${said}.`
}

const withoutNever = (step: string): string => step.replace(/^never /, 'not ')

/** What this audience is told besides: newcomers why, those who decide what is theirs to decide. */
export function noteOf(voice: Voice, { archetype, about }: ChosenTask): string {
  if (voice.audience.level === 'newcomer') return inWordsOf(voice, filled(archetype.why, about))
  if (voice.audience.level !== 'leader') return ''
  return shortened(
    `Yours to decide: may the next task begin once ${filled(archetype.done, about)}?`,
    mostSentence,
  )
}

export const doneOf = (voice: Voice, { archetype, about }: ChosenTask): TaskDraft['done'] =>
  shortened(`${capitalised(inWordsOf(voice, filled(archetype.done, about)))}.`, mostSentence)

/** Capitals that are a name or an abbreviation stay. */
export const lowerFirst = (text: string): string =>
  /^\p{Lu}(?:\p{Ll}|\s)/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text

/** `text` cut at a word, and marked, where it is too long. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 1)
  const at = cut.lastIndexOf(' ')
  return `${cut.slice(0, at > most / 2 ? at : cut.length).toWellFormed()}…`
}
