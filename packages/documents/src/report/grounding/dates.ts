import { localTime } from '../../render/local-date.ts'

/** A calendar date; a part that the text does not give is undefined. */
export interface TextDate {
  year?: string | undefined
  /** Two digits, as is the day. */
  month: string
  day?: string | undefined
  /** Day and month may also be the other way round, as in 03/08/2022. */
  ambiguous?: boolean
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const anyMonth = new RegExp(months.join('|'), 'i')

const month =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?!\\p{L})\\.?'
const day = '(\\d{1,2})(?!\\d)(?:st|nd|rd|th)?'
const to = '(?:\\s?[–—-]\\s?|\\s(?:and|to|or|through|until)\\s)'
const year = '(?:,?\\s(\\d{4})(?!\\d))'
const word = '(?<![\\p{L}\\p{N}])'

const isoDate = /(?<![\p{L}\p{N}-])(\d{4})-(\d\d)-(\d\d)(?![\p{L}\p{N}]|-\p{N})/gu
const slashedDate = /(?<![\p{L}\p{N}/])(\d{1,2})\/(\d{1,2})\/(\d{4})(?![\p{L}\p{N}/])/gu
const dayFirst = new RegExp(`${word}(?:${day}${to})?${day}\\s(?:of\\s)?${month}${year}?`, 'giu')
const monthFirst = new RegExp(`${word}${month}\\s${day}(?:${to}${day}(?!\\p{L}))?${year}?`, 'giu')
const monthAndYear = new RegExp(`${word}${month}${year}`, 'giu')
const instant =
  /(?<![\p{L}\p{N}-])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)/giu

/** What stands where a date stood: it joins nothing. */
const gap = ' \u0001 '

const two = (part: string | number) => String(part).padStart(2, '0')
const monthNumber = (name: string) => two(months.indexOf(name.slice(0, 3).toLowerCase()) + 1)
const isDate = (date: TextDate) =>
  date.month >= '01' &&
  date.month <= '12' &&
  (date.day === undefined || (date.day >= '01' && date.day <= '31'))

type Part = string | undefined

/** Calls `found` for each date of `text`, for a range of days twice, and answers the rest of the text. */
export function eachDate(text: string, found: (raw: string, date: TextDate) => void): string {
  const take = (raw: string, dates: TextDate[]): string => {
    if (!dates.every(isDate)) return raw
    for (const date of dates) found(raw, date)
    return gap
  }
  const takeNamed = (raw: string, name: string, y: Part, days: Part[]): string => {
    // Without a year, "may" and "march" may as well be verbs.
    if (y === undefined && (name === 'may' || name === 'march')) return raw
    const given = days.filter((d) => d !== undefined)
    return take(
      raw,
      given.map((d) => ({ year: y, month: monthNumber(name), day: two(d) })),
    )
  }
  const rest = text
    .replace(isoDate, (raw, y: string, m: string, d: string) =>
      take(raw, [{ year: y, month: m, day: d }]),
    )
    .replace(slashedDate, (raw, a: string, b: string, y: string) =>
      Number(a) > 12
        ? take(raw, [{ year: y, month: two(b), day: two(a) }])
        : take(raw, [{ year: y, month: two(a), day: two(b), ambiguous: Number(b) <= 12 }]),
    )
  if (!anyMonth.test(rest)) return rest
  return rest
    .replace(dayFirst, (raw, first: Part, d: string, name: string, y: Part) =>
      takeNamed(raw, name, y, [first, d]),
    )
    .replace(monthFirst, (raw, name: string, d: string, last: Part, y: Part) =>
      takeNamed(raw, name, y, [d, last]),
    )
    .replace(monthAndYear, (raw, name: string, y: string) =>
      take(raw, [{ year: y, month: monthNumber(name) }]),
    )
}

/** Calls `found` with the date and the times of day of each instant, in UTC and in `timeZone`. */
export function eachInstant(
  text: string,
  timeZone: string,
  found: (date: TextDate, times: string[]) => void,
): string {
  return text.replace(instant, (raw) => {
    if (Number.isNaN(Date.parse(raw))) return raw
    for (const zone of ['UTC', timeZone]) {
      const time = localTime(raw, zone)
      const minute = two(time.minute)
      found({ year: String(time.year), month: two(time.month), day: two(time.day) }, [
        `${two(time.hour)}:${minute}`,
        `${time.hour % 12 || 12}:${minute}`,
      ])
    }
    return gap
  })
}

/** The ways in which a date of a claim can be grounded. */
export function waysOf(date: TextDate, raw: string): string[][] {
  const { year: y, month: m, day: d } = date
  if (d === undefined) return [[`d:${y}-${m}`]]
  if (y === undefined) return [[`d:--${m}-${d}`]]
  const ways = [[`d:${y}-${m}-${d}`], [`y:${m}-${d}`, `n:${y}`]]
  return date.ambiguous ? [...ways, [`d:${y}-${d}-${m}`], [`i:${raw}`]] : ways
}

/** Adds to `keys` what a date of the evidence grounds. */
export function addDate(keys: Set<string>, date: TextDate): void {
  const { year: y, month: m, day: d } = date
  if (y !== undefined) keys.add(`n:${y}`).add(`d:${y}-${m}`)
  if (d === undefined) return
  keys.add(`d:--${m}-${d}`).add(`o:${Number(d)}`)
  keys.add(y === undefined ? `y:${m}-${d}` : `d:${y}-${m}-${d}`)
  if (date.ambiguous) addDate(keys, { year: y, month: d, day: m })
}
