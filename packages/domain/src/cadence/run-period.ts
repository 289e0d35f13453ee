import { AlmanacError } from '../errors.ts'
import { isPeriodic, type Cadence, type Coverage } from './cadence.ts'
import { assertPeriodic, periodInvalid } from './calendar.ts'
import { nextEligibleInstant, periodOf, targetPeriod } from './period.ts'
import { parsePeriodKey } from './period-key.ts'
import { windowOf, type TimeWindow } from './window.ts'

interface Timed {
  cadence: Cadence
  coverage: Coverage
  timeZone: string
}

/** What a run was asked for, and when; `period` is null when it named none. */
interface Asked {
  period: string | null
  createdAt: string
  lookBackDays: number
  now: Date
}

/**
 * The period that a run covers: the one it asked for, else the last complete one (closed) or the one
 * of its creation (rolling); null on demand. Throws CADENCE_PERIOD_INVALID, CADENCE_PERIOD_OPEN.
 */
export function periodFor(
  { cadence, coverage, timeZone }: Timed,
  { period, createdAt, lookBackDays, now }: Asked,
): TimeWindow & { periodKey: string | null } {
  const window = { cadence, coverage, timeZone, createdAt, lookBackDays }
  if (!isPeriodic(cadence)) {
    if (period !== null) assertPeriodic(cadence, period)
    return windowOf({ ...window, periodKey: null })
  }
  if (period !== null) parsePeriodKey(cadence, period)
  const current = periodOf(cadence, createdAt, timeZone)
  if (coverage === 'rolling' && period !== null && period !== current)
    throw periodInvalid(period, `a rolling specification runs the present period, ${current}`)
  const periodKey = period ?? targetPeriod({ cadence, coverage, timeZone, instant: createdAt })
  const found = windowOf({ ...window, periodKey })
  if (coverage === 'closed' && new Date(found.to) > now)
    throw new AlmanacError('CADENCE_PERIOD_OPEN', { periodKey, completeAt: found.to, timeZone })
  return found
}

/** The first instant at which a run that names no period would cover a later one than `periodKey`. */
export function nextEligible({ cadence, coverage, timeZone }: Timed, periodKey: string): string {
  assertPeriodic(cadence, periodKey)
  return nextEligibleInstant({ cadence, coverage, timeZone, periodKey })
}
