import { localTime } from '../../render/local-date.ts'

/** A calendar date; a part that the text does not give is undefined. */
export interface TextDate {
  year?: string | undefined
  month: string
  day?: string | undefined
  /** Day and month the other way round, for dates such as 03/08/2022. */
  swapped?: boolean
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const month =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?!\\p{L})\\.?'
const day = '(\\d{1,2})(?!\\d)(?:st|nd|rd|th)?'
const to = '(?:\\s?[–—-]\\s?|\\s(?:and|to|or|through|until)\\s)'
const start = '(?<![\\p{L}\\p{N}])'
const anyMonth = /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec/i

const isoDate = /(?<![\p{L}\p{N}-])(\d{4})-(\d\d)-(\d\d)(?![\p{L}\p{N}]|-\p{N})/gu
const slashedDate = /(?<![\p{L}\p{N}/])(\d{1,2})\/(\d{1,2})\/(\d{4})(?![\p{L}\p{N}/])/gu
const dayFirst = new RegExp(
  `${start}(?:${day}${to})?${day}\\s(?:of\\s)?${month}(?:,?\\s(\\d{4})(?!\\d))?`,
  'giu',
)
const monthFirst = new RegExp(
  `${start}${month}\\s${day}(?:${to}${day}(?!\\p{L}))?(?:,?\\s(\\d{4})(?!\\d))?`,
  'giu',
)
const monthAndYear = new RegExp(`${start}${month},?\\s(\\d{4})(?!\\d)`, 'giu')
const instant = /(?<![\p{L}\p{N}-])\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)/giu

const gap = ' \u0001 '
const two = (part: string) => part.padStart(2, '0')
const monthNumber = (name: string) =>
  two(String(months.indexOf(name.slice(0, 3).toLowerCase()) + 1))
const isDate = ({ month: m, day: d }: TextDate) =>
  m >= '01' && m <= '12' && (d === undefined || (d >= '01' && d <= '31'))

/** Calls `found` for each date of `text`, and answers the text without them. */
export function eachDate(text: string, found: (raw: string, date: TextDate) => void): string {
  const take = (raw: string, ...dates: (TextDate | false)[]): string => {
    const whole = dates.filter((date) => date !== false)
    if (!whole.every(isDate)) return raw
    for (const date of whole) found(raw, date)
    return gap
  }
  let rest = text
    .replace(isoDate, (raw, y: string, m: string, d: string) =>
      take(raw, { year: y, month: m, day: d }),
    )
    .replace(slashedDate, (raw, a: string, b: string, y: string) =>
      Number(a) > 12
        ? take(raw, { year: y, month: two(b), day: two(a) })
        : take(raw, { year: y, month: two(a), day: two(b), swapped: Number(b) <= 12 }),
    )
  if (!anyMonth.test(rest)) return rest
  const named = (
    raw: string,
    name: string,
    year: string | undefined,
    days: (string | undefined)[],
  ): string => {
    // "may" and "march" are also verbs.
    if (year === undefined && (name === 'may' || name === 'march')) return raw
    return take(
      raw,
      ...days.map(
        (d) => d !== undefined && { year, month: monthNumber(name), day: two(d) },
      ),
    )
  }
  type Part = string | undefined
  rest = rest
    .replace(dayFirst, (raw, first: Part, d: string, name: string, y: Part) =>
      named(raw, name, y, [first, d]),
    )
    .replace(monthFirst, (raw, name: string, d: string, last: Part, y: Part) =>
      named(raw, name, y, [d, last]),
    )
    .replace(monthAndYear, (raw, name: string, y: string) =>
      take(raw, { year: y, month: monthNumber(name) }),
    )
  return rest
}

/** Calls `found` with the date and times of day of each instant, in UTC and in `timeZone`. */
export function eachInstant(
  text: string,
  timeZone: string,
  found: (date: TextDate, time: string) => void,
): string {
  return text.replace(instant, (raw) => {
    if (Number.isNaN(Date.parse(raw))) return raw
    for (const zone of ['UTC', timeZone]) {
      const { year, month: m, day: d, hour, minute } = localTime(raw, zone)
      const date = { year: String(year), month: two(String(m)), day: two(String(d)) }
      const minutes = two(String(minute))
      found(date, `${two(String(hour))}:${minutes} ${hour % 12 || 12}:${minutes}`)
    }
    return gap
  })
}

export function waysOf({ year, month: m, day: d, swapped }: TextDate, raw: string): string[][] {
  if (d === undefined) return [[`d:${year}-${m}`]]
  if (year === undefined) return [[`d:--${m}-${d}`]]
  const ways = [[`d:${year}-${m}-${d}`], [`y:${m}-${d}`, `n:${year}`]]
  return swapped ? [...ways, [`d:${year}-${d}-${m}`], [`i:${raw}`]] : ways
}

export function addDate(keys: Set<string>, { year, month: m, day: d, swapped }: TextDate): void {
  if (year !== undefined) keys.add(`n:${year}`).add(`d:${year}-${m}`)
  if (d === undefined) return
  keys.add(`d:--${m}-${d}`).add(`o:${Number(d)}`)
  keys.add(year === undefined ? `y:${m}-${d}` : `d:${year}-${m}-${d}`)
  if (swapped) addDate(keys, { year, month: d, day: m })
}

