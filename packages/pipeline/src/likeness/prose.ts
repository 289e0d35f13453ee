import type { Json, Outline } from '@almanac/domain'

/** Keys, ids and codes: documents of one specification share those whatever they say. */
const key = /^[\w./:@#+-]*$/

/**
 * What the elements of a document say, one text a line, in their order. Not every script puts spaces
 * between words: only what is written like a key is taken for one.
 */
export const proseOf = (outline: Outline): string =>
  outline
    .filter(({ level }) => level !== 'metadata')
    .flatMap(({ value }) => wordsIn(value))
    .join('\n')

function wordsIn(value: Json): string[] {
  if (typeof value === 'string') return key.test(value.trim()) ? [] : [value]
  if (Array.isArray(value)) return value.flatMap(wordsIn)
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(wordsIn) : []
}
