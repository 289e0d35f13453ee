import { capitalised, wordsOf, workflowLimits, type WorkflowTask } from '@almanac/documents'
import { lowerFirst, shortened } from '../wording.ts'

const { nameCharacters, sentenceCharacters } = workflowLimits

/** A name for what there is after a task of which nobody has said it. */
export const resultOf = (taskName: string): string =>
  shortened(`Record of this task: ${lowerFirst(taskName)}`, nameCharacters)

/** A step that says what a task hands on, and when: what can be said of any task. */
export function concreteStep({ name, outputs, done }: WorkflowTask): string {
  const thing = outputs[0]?.name ?? resultOf(name)
  return shortened(`Hand on “${thing}” once this holds: ${lowerFirst(done)}`, sentenceCharacters)
}

/** A text without some words of it, and without what is left hanging. */
export function withoutWords(text: string, words: string): string {
  const at = text.indexOf(words)
  if (at < 0) return text
  const rest = `${text.slice(0, at)} ${text.slice(at + words.length)}`
  const joined = rest
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/ (?=[.,;:!?)])/g, '')
    .replace(/[,;:]+(?=[.!?]|$)/g, '')
  return capitalised(joined.replace(/^[,;:.\s]+/, ''))
}

/** A clause ends before these; the sentence stands without what follows. */
const clauseMark = /(?:[,;:]| [–—(]| (?:and|which|so that|because|while)\b)/g

/** `text` in at most so many words: its first sentences, else its first clause, else its first words. */
export function inFewWords(text: string, most: number): string {
  if (wordsOf(text).length <= most) return text
  const sentences = text.split(/(?<=[.!?])\s+/)
  while (sentences.length > 1 && wordsOf(sentences.join(' ')).length > most) sentences.pop()
  const [only = text] = sentences
  if (sentences.length > 1 || wordsOf(only).length <= most) return sentences.join(' ')
  const end = /[.!?]$/.test(only) ? '.' : ''
  const clauses = [...only.matchAll(clauseMark)]
    .map(({ index }) => only.slice(0, index))
    .filter((clause) => wordsOf(clause).length <= most && wordsOf(clause).length >= fewestWords)
  const clause = clauses.at(-1)
  if (clause !== undefined) return `${clause.trim()}${end}`
  const words = only.split(' ')
  while (words.length > 1 && wordsOf(words.join(' ')).length > most) words.pop()
  return `${words.join(' ').replace(/[\s,;:–—-]+$/, '')}…`
}

const fewestWords = 4
