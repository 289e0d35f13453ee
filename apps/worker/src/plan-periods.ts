import {
  calendarWindow,
  duePeriods,
  isPeriodic,
  nextDue,
  type DuePeriod,
  type PeriodicCadence,
  type Schedule,
} from '@almanac/domain/cadence'
import type { PeriodPlan, Scheduled } from '@almanac/pipeline'

export interface PeriodPlans {
  /** What to enter into the slot ledger, oldest first. */
  periods: PeriodPlan[]
  /** When the specification has to be looked at again; null: never by itself. */
  nextDueAt: string | null
}

/** Why a period stands in the ledger otherwise than planned. */
export const periodReasons = {
  /** Run, but later than its due instant by more than the tolerance. */
  late: 'late',
  /** Not run: its deadline had passed before anybody looked. */
  deadline: 'deadline_passed',
  /** Not run: the specification's `catchUp` does not make up for it. */
  catchUp: 'catch_up',
} as const

/** A period that is started within this time of its due instant counts as punctual. */
const punctualMs = 15 * 60_000

const at = (instant: string): number => Date.parse(instant)
const iso = (ms: number): string => new Date(ms).toISOString()

/**
 * What a tick has to do for a specification: every period that came due since its activation and
 * after the newest one in its ledger, and when to look again. Pure.
 *
 *   deadline passed                          skip
 *   catchUp `all`                            run
 *   the newest, and `latest` or punctual     run
 *   otherwise                                skip
 *
 * A period that begins before the newest known one ends is never planned: after a change of cadence
 * or zone the new periods set in where the old ones end.
 */
export function planPeriods(due: Scheduled, now: Date): PeriodPlans {
  const { body, specificationId, tenantId, revision } = due
  const { cadence, coverage, timeZone, offsetMinutes, spreadMinutes } = body
  if (!isPeriodic(cadence) || body.schedule !== 'automatic') return { periods: [], nextDueAt: null }
  const schedule = {
    cadence,
    coverage,
    timeZone,
    offsetMinutes,
    spreadMinutes,
    seed: specificationId,
  }
  const coveredUntil = endOf(due.lastPeriodKey, timeZone)
  const isNew = ({ periodKey }: DuePeriod) =>
    at(calendarWindow(cadence, periodKey, timeZone).from) >= coveredUntil

  const came = duePeriods({
    ...schedule,
    after: iso(Math.max(at(due.activatedAt), coveredUntil - 1)),
    until: now.toISOString(),
  }).filter(isNew)
  const periods = came.map(({ periodKey, dueAt }, i): PeriodPlan => {
    const { from, to } = calendarWindow(cadence, periodKey, timeZone)
    const deadlineAt = at(dueAt) + body.deadlineMinutes * 60_000
    return {
      tenantId,
      specificationId,
      revision,
      periodKey,
      from,
      to,
      dueAt,
      cadence,
      timeZone,
      deadlineAt: iso(deadlineAt),
      ...decide({
        catchUp: body.catchUp,
        newest: i === came.length - 1,
        late: now.getTime() - at(dueAt) > punctualMs,
        tooLate: deadlineAt <= now.getTime(),
      }),
    }
  })
  return { periods, nextDueAt: firstNew(schedule, now, isNew).dueAt }
}

function decide(period: {
  catchUp: Scheduled['body']['catchUp']
  newest: boolean
  late: boolean
  tooLate: boolean
}): Pick<PeriodPlan, 'action' | 'reason'> {
  const { catchUp, newest, late, tooLate } = period
  if (tooLate) return { action: 'skip', reason: periodReasons.deadline }
  if (catchUp === 'all' || (newest && (catchUp === 'latest' || !late)))
    return { action: 'run', reason: late ? periodReasons.late : null }
  return { action: 'skip', reason: periodReasons.catchUp }
}

/** The first firing after `now` that does not overlap what is covered. */
function firstNew(schedule: Schedule, now: Date, isNew: (period: DuePeriod) => boolean): DuePeriod {
  let next = nextDue({ ...schedule, after: now.toISOString(), lastPeriodKey: null })
  while (!isNew(next)) next = nextDue({ ...schedule, after: next.dueAt, lastPeriodKey: null })
  return next
}

/** The end of the newest known period, in milliseconds since 1970; it may be of another cadence. */
function endOf(periodKey: string | null, timeZone: string): number {
  if (periodKey === null) return -Infinity
  return at(calendarWindow(cadenceOf(periodKey), periodKey, timeZone).to)
}

/** The cadence that a key's form tells: `2026-W47`, `2026-11-21`, `2026-11`. */
function cadenceOf(periodKey: string): PeriodicCadence {
  if (periodKey.includes('W')) return 'weekly'
  return periodKey.length > 'YYYY-MM'.length ? 'daily' : 'monthly'
}
