import { Temporal } from 'temporal-polyfill'
import type { Cadence, PeriodicCadence } from './cadence.ts'
import { assertPeriodic, firstDay, keyOf, periodInvalid, step } from './calendar.ts'

/** The most periods that one backfill takes. */
export const maxPeriods = 1_000

/**
 * Returns `key` if it names a period of `cadence` (`2026-11-21`, ISO week `2026-W47`, `2026-11`, of
 * the years 1970 to 9998); else throws CADENCE_PERIOD_INVALID, which says what is allowed.
 */
export function parsePeriodKey(cadence: Cadence, key: string): string {
  assertPeriodic(cadence, key)
  firstDay(cadence, key)
  return key
}

/** The key that follows `key` in the calendar; throws CADENCE_PERIOD_INVALID. */
export function nextPeriod(cadence: PeriodicCadence, key: string): string {
  return keyOf(cadence, step(cadence, firstDay(cadence, key), 1))
}

/** The key that comes before `key` in the calendar; throws CADENCE_PERIOD_INVALID. */
export function previousPeriod(cadence: PeriodicCadence, key: string): string {
  return keyOf(cadence, step(cadence, firstDay(cadence, key), -1))
}

/**
 * Every key from `fromKey` to `toKey`, both included, oldest first; throws CADENCE_PERIOD_INVALID
 * for a bad key, for a range that ends before it begins, and for one of more than `maxPeriods`.
 */
export function periodsBetween(cadence: Cadence, fromKey: string, toKey: string): string[] {
  assertPeriodic(cadence, fromKey)
  const first = firstDay(cadence, fromKey)
  const last = firstDay(cadence, toKey)
  if (Temporal.PlainDate.compare(last, first) < 0)
    throw periodInvalid(toKey, `the last period may not come before the first, ${fromKey}`)
  const furthest = step(cadence, first, maxPeriods - 1)
  if (Temporal.PlainDate.compare(last, furthest) > 0) {
    const until = keyOf(cadence, furthest)
    throw periodInvalid(
      toKey,
      `at most ${maxPeriods} periods go at once, from ${fromKey} until ${until}`,
    )
  }
  const keys: string[] = []
  for (let day = first; Temporal.PlainDate.compare(day, last) <= 0; day = step(cadence, day, 1))
    keys.push(keyOf(cadence, day))
  return keys
}
