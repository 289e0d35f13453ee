/**
 * When a schedule fires: closed at the end of each period, rolling at its start; plus the offset;
 * plus the specification's share of the spread. Empty days (a zone skipped them) never fire.
 */
import { Temporal } from 'temporal-polyfill'
import type { Coverage, PeriodicCadence } from './cadence.ts'
import { firstDay } from './calendar.ts'
import { jitterSeconds } from './jitter.ts'
import { periodAfter, periodOf } from './period.ts'
import { calendarWindow } from './window.ts'

/** What decides a schedule's instants; offset and spread are minutes of elapsed time. */
export interface Schedule {
  cadence: PeriodicCadence
  coverage: Coverage
  timeZone: string
  offsetMinutes: number
  spreadMinutes: number
  /** The specification's id: the same id has the same share of the spread. */
  seed: string
}

/** A period and the instant at which its schedule fires. */
export interface DuePeriod {
  periodKey: string
  dueAt: string
}

const delay = (schedule: Schedule): Temporal.Duration =>
  Temporal.Duration.from({
    minutes: schedule.offsetMinutes,
    seconds: jitterSeconds(schedule.seed, schedule.spreadMinutes),
  })

/** The instant at which the schedule fires for `periodKey`; throws CADENCE_PERIOD_INVALID. */
export function dueAt(request: Schedule & { periodKey: string }): string {
  const { cadence, coverage, periodKey, timeZone } = request
  const { from, to } = calendarWindow(cadence, periodKey, timeZone)
  const begin = Temporal.Instant.from(coverage === 'closed' ? to : from)
  return begin.add(delay(request)).toString()
}

/** The key of the first period that fires after `after`. */
function firstKeyAfter(schedule: Schedule, after: string): string {
  const { cadence, coverage, timeZone } = schedule
  const undelayed = Temporal.Instant.from(after).subtract(delay(schedule)).toString()
  const periodKey = periodOf(cadence, undelayed, timeZone)
  return coverage === 'closed' ? periodKey : periodAfter(cadence, periodKey, timeZone)
}

/**
 * The first firing after the instant `after`, of a period later than `lastPeriodKey` (the last one
 * that fired; null if none did). Throws CADENCE_PERIOD_INVALID if that key is of another cadence.
 */
export function nextDue(
  request: Schedule & { after: string; lastPeriodKey: string | null },
): DuePeriod {
  const { cadence, timeZone, after, lastPeriodKey } = request
  let periodKey = firstKeyAfter(request, after)
  if (lastPeriodKey !== null) {
    const last = firstDay(cadence, lastPeriodKey)
    if (Temporal.PlainDate.compare(firstDay(cadence, periodKey), last) <= 0)
      periodKey = periodAfter(cadence, lastPeriodKey, timeZone)
  }
  return { periodKey, dueAt: dueAt({ ...request, periodKey }) }
}

/** Every firing in (`after`, `until`], oldest first: what a tick has to do, or to catch up on. */
export function duePeriods(request: Schedule & { after: string; until: string }): DuePeriod[] {
  const { cadence, timeZone, after, until } = request
  const due: DuePeriod[] = []
  let periodKey = firstKeyAfter(request, after)
  for (;;) {
    const at = dueAt({ ...request, periodKey })
    if (Temporal.Instant.compare(at, until) > 0) return due
    due.push({ periodKey, dueAt: at })
    periodKey = periodAfter(cadence, periodKey, timeZone)
  }
}
