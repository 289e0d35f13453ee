import type { Json, Outline } from '@almanac/domain'

/**
 * What the elements of a document say, one text a line, in their order. A string without a space is a
 * key, an id or a code: documents of one specification share those whatever they say.
 */
export const proseOf = (outline: Outline): string =>
  outline
    .filter(({ level }) => level !== 'metadata')
    .flatMap(({ value }) => wordsIn(value))
    .join('\n')

function wordsIn(value: Json): string[] {
  if (typeof value === 'string') return value.trim().includes(' ') ? [value] : []
  if (Array.isArray(value)) return value.flatMap(wordsIn)
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(wordsIn) : []
}
