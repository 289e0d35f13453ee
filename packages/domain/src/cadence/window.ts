import { Temporal } from 'temporal-polyfill'
import { isPeriodic, type Cadence, type Coverage, type PeriodicCadence } from './cadence.ts'
import { assertPeriodic, firstDay, step } from './calendar.ts'

/** A span of time [from, to): UTC instants such as `2026-11-23T05:00:00Z`. */
export interface TimeWindow {
  from: string
  to: string
}

/** The span of one period. */
export interface PeriodWindow extends TimeWindow {
  periodKey: string
}

/** The first instant of `day`; where clocks skip its midnight, or all of it, the first one after the gap. */
export const startOf = (day: Temporal.PlainDate, timeZone: string): Temporal.Instant =>
  day.toZonedDateTime(timeZone).toInstant()

/**
 * A calendar period in a zone: from the start of its first day to the start of the next period. It
 * is empty for a day that the zone skipped. Throws CADENCE_PERIOD_INVALID.
 */
export function calendarWindow(
  cadence: PeriodicCadence,
  periodKey: string,
  timeZone: string,
): PeriodWindow {
  const first = firstDay(cadence, periodKey)
  const from = startOf(first, timeZone).toString()
  return { periodKey, from, to: startOf(step(cadence, first, 1), timeZone).toString() }
}

/** The `days` calendar days that end with `instant`: since the same time on the zone's clocks. */
export function lookBackWindow(instant: string, days: number, timeZone: string): TimeWindow {
  if (!Number.isInteger(days) || days < 1)
    throw new RangeError(`A look-back is a whole number of days, at least 1, and not ${days}`)
  const to = Temporal.Instant.from(instant)
  const from = to.toZonedDateTimeISO(timeZone).subtract({ days }).toInstant()
  return { from: from.toString(), to: to.toString() }
}

/**
 * The data window of a run. Closed: its calendar period. Rolling and on-demand: the `lookBackDays`
 * before `createdAt`, whatever the key; that of a rolling run is the period of its creation, that
 * of an on-demand run is null. Throws CADENCE_PERIOD_INVALID for a key that is not of the cadence.
 */
export function windowOf<K extends string | null>(request: {
  cadence: Cadence
  coverage: Coverage
  periodKey: K
  timeZone: string
  lookBackDays: number
  createdAt: string
}): TimeWindow & { periodKey: K } {
  const { cadence, coverage, periodKey, timeZone, lookBackDays, createdAt } = request
  const lookBack = () => ({ periodKey, ...lookBackWindow(createdAt, lookBackDays, timeZone) })
  if (periodKey === null && !isPeriodic(cadence)) return lookBack()
  const key = periodKey ?? ''
  assertPeriodic(cadence, key)
  const { from, to } = calendarWindow(cadence, key, timeZone)
  return coverage === 'closed' ? { periodKey, from, to } : lookBack()
}
