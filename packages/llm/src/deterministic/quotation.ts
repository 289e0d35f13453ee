import { plainTitle } from '@almanac/industries'

/** Characters without shape that plain text may still hold: tags, and invisible operators. */
const shapeless = /[\u2061-\u2065\u{e0000}-\u{e007f}]+/gu

/** `text` as it may be quoted: plain, on one line, every character visible. */
export const quotable = (text: string): string =>
  plainTitle(plainTitle(text).replace(shapeless, ' '))

/** A word at which no quotation is cut: part of a name, a number or a date, or what joins them. */
const joining = /^["'(“‘]*(?:\p{Lu}|\S*\p{N}|(?:to|and|or|of|the|through|until|[–—&-])$)/u

/**
 * `text` cut to at most `max` characters, an ellipsis in place of what is missing: after a clause
 * where there is one, else not inside a name, a number or a date, which half would say otherwise.
 */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text
  const cut = text.slice(0, max - 1)
  const clause = Math.max(cut.lastIndexOf(': '), cut.lastIndexOf('; '))
  if (clause > max / 3) return `${cut.slice(0, clause)}…`
  const words = cut.split(' ').slice(0, -1)
  const whole = words.findLastIndex((word) => !joining.test(word)) + 1
  const numberless = words.findLastIndex((word) => !/\p{N}/u.test(word)) + 1
  const named = words.slice(0, whole).join(' ')
  const kept = named.length > max / 3 ? named : words.slice(0, numberless).join(' ')
  return `${kept.replace(/[\s,;:.–—-]+$/, '')}…`
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
  const read = text.slice(0, 4 * max)
  const line = quotable(read)
  for (const { index, 0: mark } of line.matchAll(/[.!?]["”’)]*(?=\s+["“‘(]?[\p{Lu}\p{N}])/gu)) {
    const end = index + mark.length
    if (end > max) break
    const sentence = line.slice(0, end)
    if (!abbreviation.test(sentence)) return sentence
  }
  return shorten(line, read === text ? max : Math.min(max, line.length - 1))
}
