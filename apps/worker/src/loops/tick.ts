import type { Clock, Scheduled, ScheduleStore } from '@almanac/pipeline'
import type { Log } from '../log.ts'
import type { LeaderLoopWork } from '../loop.ts'
import { planPeriods, type PeriodPlans } from '../plan-periods.ts'

export interface TickPorts {
  schedules: ScheduleStore
  clock: Clock
  log: Log
  wakeAdmit(): void
}

/** Specifications, and free slots, that one pass takes. */
const batch = 200
/** When a specification whose periods cannot be planned is looked at again. */
const brokenRestMs = 3_600_000

/** Starts the periods that have come due, and tries free slots of schedules again. */
export const tick = ({ schedules, clock, log, wakeAdmit }: TickPorts): LeaderLoopWork => ({
  name: 'tick',
  everyMs: 1_000,
  pass: async () => {
    const now = clock.now()
    // One that cannot be planned must not keep those behind it from their turn.
    const plan = (due: Scheduled): PeriodPlans => {
      try {
        return planPeriods(due, now)
      } catch (cause) {
        const { specificationId } = due
        log.error({ loop: 'tick', specification: specificationId, cause }, 'no periods planned')
        return { periods: [], nextDueAt: new Date(now.getTime() + brokenRestMs).toISOString() }
      }
    }
    const { specifications, runs } = await schedules.takeDue(now, batch, plan)
    const { retried, missed } = await schedules.retryFree(now, batch)
    if (runs + retried > 0) wakeAdmit()
    return specifications >= batch || retried + missed >= batch
  },
})
