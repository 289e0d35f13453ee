import { addDate, eachDate, eachInstant, waysOf } from './dates.ts'
import { addFigure, eachFigure, eachNumberWord, waysOfFigure } from './figures.ts'

/**
 * Numbers, dates and identifiers in a text, normalised so that one way of writing them grounds another:
 *
 *   "1,234,567", "1 234 567" (no-break spaces)                   n:1234567
 *   "12 %", "12 percent"                                         n:12%
 *   "4.2 million", "4,200,000"                                   n:4200000
 *   "March 8, 2022", "8 Mar. 2022", "2022-03-08", "03/08/2022"   d:2022-03-08
 *   "March 8" d:--03-08      "March 2022" d:2022-03      "8th" o:8
 *   "FAA-2021-1170", "A320neo", "2021-28413"                     i:…, looked for in the text itself
 *   "11:59", beside an instant in any attribute                  t:11:59
 *
 * Number words ("three") are not taken for claims, but they ground digits. An amount grounds the same
 * amount whatever its unit or currency: what is compared is figures, not what they measure.
 */
export interface Quantity {
  /** As it stands in the text. */
  raw: string
  /** Ways in which it can be grounded: any one of these lists of keys, all keys of it. */
  anyOf: string[][]
}

/** What the quantities of a claim may rest on. */
export interface Ground {
  /** Lower-case text in which words are looked for as they stand. */
  text: string
  /** The keys of its quantities; costly, so made when first asked for. */
  keys: () => ReadonlySet<string>
}

/**
 * The quantities of `claim` that `grounds` together do not have, each once. `grounds` is asked only
 * when the claim has any.
 */
export function ungrounded(claim: string, grounds: () => readonly Ground[]): string[] {
  const found = quantities(claim)
  if (found.length === 0) return []
  const given = grounds()
  const isGiven = (key: string) =>
    key.startsWith('i:')
      ? given.some(({ text }) => holdsIdentifier(text, key.slice(2)))
      : given.some(({ keys }) => keys().has(key))
  const missing = found.filter(
    ({ raw, anyOf }) =>
      !(isWhole(raw) && given.some(({ text }) => holdsWord(text, raw.toLowerCase()))) &&
      !anyOf.some((all) => all.every(isGiven)),
  )
  return [...new Set(missing.map(({ raw }) => raw))]
}

/** The numbers, dates and identifiers of `text`: dates first, then the others in order. */
export function quantities(text: string): Quantity[] {
  const found: Quantity[] = []
  if (!/\p{Nd}/u.test(text)) return found
  const rest = eachDate(normalised(text), (raw, date) => {
    found.push({ raw, anyOf: waysOf(date, raw) })
  })
  eachFigure(rest, (raw, following) => {
    found.push({ raw, anyOf: waysOfFigure(raw, following) })
  })
  return found
}

/** What `texts` ground: their words, their quantities, the parts of their dates, their number words. */
export function groundOf(texts: readonly string[], timeZone: string): Ground {
  const plain = texts.map(normalised)
  let keys: Set<string> | undefined
  return {
    // Between two texts stands what no word holds.
    text: plain.join(' \u0001 ').toLowerCase(),
    keys: () => (keys ??= keysOf(plain, timeZone)),
  }
}

function keysOf(texts: readonly string[], timeZone: string): Set<string> {
  const keys = new Set<string>()
  for (const text of texts) {
    const dateless = eachInstant(text, timeZone, (date, times) => {
      addDate(keys, date)
      for (const time of times) keys.add(`t:${time}`)
    })
    const rest = eachDate(dateless, (_, date) => addDate(keys, date))
    eachFigure(rest, (raw, following) => addFigure(keys, raw, following))
    eachNumberWord(rest, (value) => keys.add(`n:${value}`))
  }
  return keys
}

/** Whether what stands literally in the evidence is the same: of a bare number, that is not sure. */
const isWhole = (raw: string): boolean => /[^\d,.]/.test(raw)

/** Whether `text` holds `word` as it stands, not as a part of a longer number or identifier. */
function holdsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length
    const goesOn =
      isWordCharacter(text[end]) || (isJoint(text[end]) && isWordCharacter(text[end + 1]))
    const began =
      isWordCharacter(text[at - 1]) || (isJoint(text[at - 1]) && isWordCharacter(text[at - 2]))
    if (!goesOn && !began) return true
  }
  return false
}

const isJoint = (character: string | undefined): boolean =>
  character !== undefined && '-–_/.,:'.includes(character)

// eslint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/
const thousands = /(?<=\p{Nd})[\u00a0\u2009\u202f'’](?=\p{Nd}{3}(?!\p{Nd}))/gu

/** Compatibility forms (full-width digits, superscripts) and separators of thousands made plain. */
const normalised = (text: string): string =>
  ascii.test(text) ? text : text.replace(thousands, ',').normalize('NFKC')

const mostParts = 12

/** Whether `text` holds the identifier as words of its own, whatever joins its parts. */
function holdsIdentifier(text: string, identifier: string): boolean {
  for (let at = text.indexOf(identifier); at >= 0; at = text.indexOf(identifier, at + 1))
    if (!isWordCharacter(text[at - 1]) && !isWordCharacter(text[at + identifier.length]))
      return true
  const parts = identifier.match(/\p{L}+|\p{N}+/gu) ?? []
  if (parts.length < 2 || parts.length > mostParts) return false
  const joined = parts.join('[ \\-–_/.:]?')
  return new RegExp(`(?<![\\p{L}\\p{N}])${joined}(?![\\p{L}\\p{N}])`, 'u').test(text)
}

const isWordCharacter = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character)
