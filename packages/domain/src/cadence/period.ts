import { Temporal } from 'temporal-polyfill'
import type { Coverage, PeriodicCadence } from './cadence.ts'
import { firstDayAround, keyOf, step } from './calendar.ts'
import { calendarWindow, startOf } from './window.ts'

/** The key of the calendar period whose window in the zone contains `instant`. */
export function periodOf(cadence: PeriodicCadence, instant: string, timeZone: string): string {
  const at = Temporal.Instant.from(instant)
  const first = firstDayAround(cadence, at.toZonedDateTimeISO(timeZone).toPlainDate())
  const next = step(cadence, first, 1)
  // Clocks that go back over midnight show the end of a day again after the next day has begun.
  const nextHasBegun = Temporal.Instant.compare(startOf(next, timeZone), at) <= 0
  return keyOf(cadence, nextHasBegun ? next : first)
}

/**
 * The key of the period that begins when `periodKey` ends. It differs from `nextPeriod` only where
 * a zone skipped a whole day: that day has a key, but no time in it.
 */
export function periodAfter(cadence: PeriodicCadence, periodKey: string, timeZone: string): string {
  return periodOf(cadence, calendarWindow(cadence, periodKey, timeZone).to, timeZone)
}

/** The key of the newest period that is over at `instant`. */
export function lastCompletePeriod(
  cadence: PeriodicCadence,
  instant: string,
  timeZone: string,
): string {
  const { from } = calendarWindow(cadence, periodOf(cadence, instant, timeZone), timeZone)
  const justBefore = Temporal.Instant.from(from).subtract({ nanoseconds: 1 })
  return periodOf(cadence, justBefore.toString(), timeZone)
}

/** The key of the first period that begins at or after `instant`: where a new cadence or zone sets in. */
export function firstPeriodFrom(
  cadence: PeriodicCadence,
  instant: string,
  timeZone: string,
): string {
  const periodKey = periodOf(cadence, instant, timeZone)
  const { from } = calendarWindow(cadence, periodKey, timeZone)
  const beginsThen = Temporal.Instant.from(from).equals(instant)
  return beginsThen ? periodKey : periodAfter(cadence, periodKey, timeZone)
}

/** The period of a run that names none: closed the last complete one, rolling that of `instant`. */
export function targetPeriod(request: {
  cadence: PeriodicCadence
  coverage: Coverage
  timeZone: string
  instant: string
}): string {
  const { cadence, coverage, timeZone, instant } = request
  const find = coverage === 'closed' ? lastCompletePeriod : periodOf
  return find(cadence, instant, timeZone)
}

/** The first instant at which `targetPeriod` is later than `periodKey`; it may lie in the past. */
export function nextEligibleInstant(request: {
  cadence: PeriodicCadence
  coverage: Coverage
  periodKey: string
  timeZone: string
}): string {
  const { cadence, coverage, periodKey, timeZone } = request
  if (coverage === 'rolling') return calendarWindow(cadence, periodKey, timeZone).to
  const after = periodAfter(cadence, periodKey, timeZone)
  return calendarWindow(cadence, after, timeZone).to
}
