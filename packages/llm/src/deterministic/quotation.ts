import { plainTitle } from '@almanac/industries'

/** `text` cut at a word to at most `max` characters, an ellipsis in place of what is missing. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text
  const cut = text.slice(0, max - 1)
  const space = cut.lastIndexOf(' ')
  const kept = space > max / 2 ? cut.slice(0, space) : cut
  return `${kept.toWellFormed().replace(/[\s,;:.\ufffd]+$/u, '')}…`
}

/**
 * Someone else's words between “ and ”. Curly quotation marks inside become straight ones, so that
 * a quotation ends where it seems to end, whatever the quoted text holds.
 */
export const quote = (words: string): string => `“${words.replace(/[“”„‟]/g, '"')}”`

/** Closes a sentence that ends in a quotation, unless the quoted words close it themselves. */
export const closed = (sentence: string): string =>
  /[.!?…]["'’)\]]*”$/.test(sentence) ? sentence : `${sentence}.`

/** `a`, `a and b`, `a, b and c`. */
export function list(parts: readonly string[]): string {
  const last = parts.at(-1) ?? ''
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`
}

const abbreviation =
  /(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Inc|Corp|Ltd|Co|Bros|No|Nos|vs|approx|ca|St|Jr|Sr|Fig|Sec|al|etc|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|\b[A-Za-z])\.$/

/** The first sentence of `text` on one line, at most `max` characters; '' when there is none. */
export function firstSentence(text: string, max: number): string {
  const line = plainTitle(text.slice(0, 4 * max))
  for (const { index, 0: mark } of line.matchAll(/[.!?]["”’)]*(?=\s+["“‘(]?[\p{Lu}\p{N}])/gu)) {
    const end = index + mark.length
    if (end > max) break
    const sentence = line.slice(0, end)
    if (!abbreviation.test(sentence)) return sentence
  }
  return shorten(line, max)
}
