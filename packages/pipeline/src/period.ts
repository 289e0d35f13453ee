import { AlmanacError, type RunRequest, type Specification } from '@almanac/domain'
import {
  lastCompletePeriod,
  nextEligibleInstant,
  parsePeriodKey,
  periodOf,
  windowOf,
} from '@almanac/domain/cadence'

/** The period that a run covers: its key (null on demand) and data window [from, to). */
export interface Period {
  periodKey: string | null
  from: string
  to: string
}

type Timed = Pick<Specification, 'cadence' | 'coverage' | 'timeZone'>

/**
 * The period of a run: the one it asked for, or the last complete one (closed), or the one it was
 * created in (rolling). Throws CADENCE_PERIOD_INVALID or CADENCE_PERIOD_OPEN. Pure.
 */
export function periodFor(
  { cadence, coverage, timeZone }: Timed,
  asked: {
    period: RunRequest['period'] | null
    createdAt: string
    lookBackDays: number
    now: Date
  },
): Period {
  const { createdAt, lookBackDays } = asked
  const period = asked.period ?? null
  if (cadence === 'on_demand') {
    if (period !== null) throw invalid(period, 'an on-demand specification has no periods')
    return {
      ...windowOf({ cadence, coverage, timeZone, createdAt, lookBackDays, periodKey: null }),
      periodKey: null,
    }
  }
  if (period !== null) {
    try {
      parsePeriodKey(cadence, period)
    } catch (cause) {
      throw invalid(period, cause instanceof Error ? cause.message : 'it has another form')
    }
  }
  const current = periodOf(cadence, createdAt, timeZone)
  if (coverage === 'rolling' && period !== null && period !== current)
    throw invalid(
      period,
      `a rolling specification runs the period of the present instant, ${current}`,
    )
  const periodKey =
    period ?? (coverage === 'rolling' ? current : lastCompletePeriod(cadence, createdAt, timeZone))
  const window = windowOf({ cadence, coverage, timeZone, createdAt, lookBackDays, periodKey })
  if (coverage === 'closed' && new Date(window.to) > asked.now)
    throw new AlmanacError('CADENCE_PERIOD_OPEN', { periodKey, completeAt: window.to, timeZone })
  return { periodKey, from: window.from, to: window.to }
}

const invalid = (value: string, allowed: string) =>
  new AlmanacError('CADENCE_PERIOD_INVALID', { value: JSON.stringify(value), allowed })

/** The first instant at which a run without a period would make a later one than `periodKey`. */
export function nextEligible({ cadence, coverage, timeZone }: Timed, periodKey: string): string {
  if (cadence === 'on_demand') throw new Error('an on-demand specification has no periods')
  return nextEligibleInstant({ cadence, coverage, timeZone, periodKey })
}
