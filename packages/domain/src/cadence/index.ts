/**
 * Cadence: periods, their windows and their schedules, as pure functions of instants. Instants go
 * in as any ISO 8601 with an offset and come out in UTC; compare them as instants, not as text.
 */
export * from './cadence.ts'
export * from './period.ts'
export { nextEligible, periodFor } from './run-period.ts'
export {
  maxPeriods,
  nextPeriod,
  parsePeriodKey,
  periodsBetween,
  previousPeriod,
} from './period-key.ts'
export { dueAt, duePeriods, nextDue, type DuePeriod, type Schedule } from './schedule.ts'
export {
  calendarWindow,
  lookBackWindow,
  windowOf,
  type PeriodWindow,
  type TimeWindow,
} from './window.ts'
