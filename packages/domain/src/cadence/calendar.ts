/**
 * Periods as calendar days, without a zone: a period is named by the first of its days. Only this
 * folder sees these Temporal values; what it exports is plain strings.
 */
import { Temporal } from 'temporal-polyfill'
import { AlmanacError } from '../errors.ts'
import { isPeriodic, type Cadence, type PeriodicCadence } from './cadence.ts'

type Day = Temporal.PlainDate

// The zone database promises nothing before 1970; what follows 9998 needs years of five digits.
const years = { first: 1970, last: 9998 }

const shapes = {
  daily: {
    pattern: /^(\d{4})-(\d{2})-(\d{2})$/,
    allowed: 'a daily specification takes days such as 2026-11-21',
  },
  weekly: {
    pattern: /^(\d{4})-W(\d{2})$/,
    allowed: 'a weekly specification takes ISO weeks such as 2026-W47',
  },
  monthly: {
    pattern: /^(\d{4})-(\d{2})$/,
    allowed: 'a monthly specification takes months such as 2026-11',
  },
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The error for a period `key` that was refused, with what would be allowed instead. */
export function periodInvalid(key: string, allowed: string): AlmanacError {
  const shown = key.length > 24 ? `${key.slice(0, 23)}…` : key
  return new AlmanacError('CADENCE_PERIOD_INVALID', { value: JSON.stringify(shown), allowed })
}

/** Throws CADENCE_PERIOD_INVALID where a period `key` is given for a cadence without periods. */
export function assertPeriodic(cadence: Cadence, key: string): asserts cadence is PeriodicCadence {
  if (!isPeriodic(cadence)) throw periodInvalid(key, 'an on-demand specification has no periods')
}

/** The first day of the period that `key` names; throws CADENCE_PERIOD_INVALID. */
export function firstDay(cadence: PeriodicCadence, key: string): Day {
  const { pattern, allowed } = shapes[cadence]
  const match = pattern.exec(key)
  if (!match) throw periodInvalid(key, allowed)
  const [year = 0, second = 0, day = 1] = match.slice(1).map(Number)
  if (year < years.first || year > years.last)
    throw periodInvalid(key, `the years are ${years.first} to ${years.last}`)
  return cadence === 'weekly' ? mondayOf(key, year, second) : dayOf(key, year, second, day)
}

function dayOf(key: string, year: number, month: number, day: number): Day {
  if (month < 1 || month > 12) throw periodInvalid(key, 'the months are 01 to 12')
  const { daysInMonth } = new Temporal.PlainYearMonth(year, month)
  if (day < 1 || day > daysInMonth)
    throw periodInvalid(key, `${year}-${two(month)} has the days 01 to ${daysInMonth}`)
  return new Temporal.PlainDate(year, month, day)
}

function mondayOf(key: string, year: number, week: number): Day {
  // The 4th of January is always in the first ISO week, the 28th of December in the last.
  const { weekOfYear: weeks = 52 } = new Temporal.PlainDate(year, 12, 28)
  if (week < 1 || week > weeks)
    throw periodInvalid(key, `the ISO year ${year} has the weeks W01 to W${weeks}`)
  return firstDayAround('weekly', new Temporal.PlainDate(year, 1, 4)).add({ weeks: week - 1 })
}

/** The first day of the period that `day` belongs to. */
export function firstDayAround(cadence: PeriodicCadence, day: Day): Day {
  if (cadence === 'weekly') return day.subtract({ days: day.dayOfWeek - 1 })
  return cadence === 'monthly' ? day.with({ day: 1 }) : day
}

/** The first day of the period `count` periods after (or, below 0, before) the one of `first`. */
export function step(cadence: PeriodicCadence, first: Day, count: number): Day {
  if (cadence === 'weekly') return first.add({ weeks: count })
  return first.add(cadence === 'monthly' ? { months: count } : { days: count })
}

/** The key of the period that begins with `first`; throws CADENCE_PERIOD_INVALID outside of the years. */
export function keyOf(cadence: PeriodicCadence, first: Day): string {
  const key =
    cadence === 'weekly'
      ? `${first.yearOfWeek}-W${two(first.weekOfYear ?? 0)}`
      : cadence === 'monthly'
        ? first.toPlainYearMonth().toString()
        : first.toString()
  firstDay(cadence, key)
  return key
}
