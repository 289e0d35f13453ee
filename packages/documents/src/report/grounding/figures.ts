/** Numbers and identifiers: words that hold a digit, with what joins their parts. */
const run = /[\p{L}\p{N}](?:[\p{L}\p{N}]|[-–_/.:](?=[\p{L}\p{N}])|,(?=\d{3}(?!\d)))*/gu
const digit = /\p{Nd}/u

const onlyNumber = /^(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?$/
const ordinal = /^(\d+)(?:st|nd|rd|th)$/i
const withWord = /^([\d,.]*\d)-(\p{L}[\p{L}-]*)$/u
const withUnit = /^([\d,.]*\d)(\p{L}+)$/u
const timeOfDay = /^\d{1,2}:\d\d$/
const sinceYear = /^(?:pre|post|mid|early|late)-(\d+)$/i
const pair = /^([\d,.]*\d)([-–])([\d,.]*\d)$/

const percentage = /^\s?(?:%|percent|per cent|pct)/i
const scaleWord = /^[\s-]?(thousand|million|billion|trillion|bn|mn)(?!\p{L})/iu
const scales = new Map([
  ['k', 3],
  ['thousand', 3],
  ['m', 6],
  ['mn', 6],
  ['million', 6],
  ['bn', 9],
  ['billion', 9],
  ['trillion', 12],
])

const numberWords =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  )
const numberWord = new RegExp(`(?<!\\p{L})(?:${numberWords.join('|')})(?!\\p{L})`, 'giu')

/** Calls `found` for each word of `text` that holds a digit, with the text that follows it. */
export function eachFigure(text: string, found: (raw: string, following: string) => void): void {
  for (const { 0: raw, index } of text.matchAll(run)) {
    if (!digit.test(raw)) continue
    const end = index + raw.length
    found(raw, text.slice(end, end + 12))
  }
}

/** Calls `found` with the value of each number word of `text`, up to twenty. */
export function eachNumberWord(text: string, found: (value: number) => void): void {
  for (const [word] of text.matchAll(numberWord)) found(numberWords.indexOf(word.toLowerCase()))
}

/** The ways in which a figure of a claim can be grounded. */
export function waysOfFigure(raw: string, following: string): string[][] {
  const itself = `i:${raw.toLowerCase()}`
  if (onlyNumber.test(raw)) return [[valueKey(raw, following)]]
  const nth = ordinal.exec(raw)?.[1]
  if (nth !== undefined) return [[`o:${plain(nth)}`], [itself]]
  const year = sinceYear.exec(raw)?.[1]
  if (year !== undefined) return [[itself], [`n:${plain(year)}`]]
  const [, low, , high] = pair.exec(raw) ?? []
  if (low !== undefined && high !== undefined)
    return [[itself], [`n:${plain(low)}`, valueKey(high, following)]]
  if (timeOfDay.test(raw)) return [[itself], [`t:${raw}`]]
  return [[itself], ...joinedValues(raw).map((key) => [key])]
}

/** Adds to `keys` what a figure of the evidence grounds. */
export function addFigure(keys: Set<string>, raw: string, following: string): void {
  if (onlyNumber.test(raw)) {
    keys.add(valueKey(raw, following)).add(`n:${plain(raw)}`)
    return
  }
  const nth = ordinal.exec(raw)?.[1]
  if (nth !== undefined) keys.add(`o:${plain(nth)}`)
  const year = sinceYear.exec(raw)?.[1]
  if (year !== undefined) keys.add(`n:${plain(year)}`)
  for (const key of joinedValues(raw)) keys.add(key)
  const [, low, dash, high] = pair.exec(raw) ?? []
  if (low !== undefined && high !== undefined && isRange(low, dash, high))
    keys
      .add(`n:${plain(low)}`)
      .add(`n:${plain(high)}`)
      .add(valueKey(high, following))
}

/** The values of a number that a word or unit is joined to: `30-day`, `5kg`, `3bn`. */
function joinedValues(raw: string): string[] {
  const [, number, unit] = withWord.exec(raw) ?? withUnit.exec(raw) ?? []
  if (number === undefined || unit === undefined) return []
  const places = scales.get(unit.toLowerCase())
  return [`n:${plain(number)}`, ...(places ? [`n:${scaled(number, places)}`] : [])]
}

/** The key of a number with what follows it: a percentage, a scaled number, or the number itself. */
function valueKey(number: string, following: string): string {
  if (percentage.test(following)) return `n:${plain(number)}%`
  const places = scales.get(scaleWord.exec(following)?.[1]?.toLowerCase() ?? '')
  return `n:${places === undefined ? plain(number) : scaled(number, places)}`
}

/** A number as it is compared: no separators of thousands, no needless zeros. */
function plain(number: string): string {
  const [whole = '', fraction = ''] = number.replaceAll(',', '').split('.')
  const decimals = fraction.replace(/0+$/, '')
  return `${whole.replace(/^0+(?=\d)/, '')}${decimals ? `.${decimals}` : ''}`
}

/** `number` times ten to the power of `places`, digit by digit. */
function scaled(number: string, places: number): string {
  const [whole = '', fraction = ''] = plain(number).split('.')
  const digits = fraction.padEnd(places, '0')
  return plain(`${whole}${digits.slice(0, places)}.${digits.slice(places)}`)
}

/** Whether two joined numbers are a range, and not a document number such as 2021-28413. */
const isRange = (low: string, dash: string | undefined, high: string): boolean =>
  dash === '–' || (Number(plain(low)) < Number(plain(high)) && high.length <= low.length)
