import {
  AlmanacError,
  errorEntry,
  isAlmanacError,
  sentence,
  type AlmanacEvent,
  type StageName,
} from '@almanac/domain'
import type { Move } from './ports.ts'
import type { StageRole } from './stage.ts'
import { Park } from './stage.ts'

/** What came out of running a stage once. */
export type StageResult =
  | { kind: 'output'; durationMs: number; score: number; artifacts: string[] }
  | { kind: 'park'; park: Park }
  | { kind: 'error'; error: AlmanacError }

export interface Situation {
  stage: StageName
  role: StageRole
  next: StageName | undefined
  /** How often the stage may try, and how often it has failed before. */
  tries: number
  failedBefore: number
  now: Date
  deadlineAt: string | null
}

export interface Decision {
  move: Move
  events: AlmanacEvent[]
}

/** Delays before the second, third, … try, in milliseconds; beyond 5 s a run is parked instead. */
const backoffMs = [1_000, 4_000, 15_000, 60_000] as const
export const longestDelayMs = 5_000

/**
 * Turns what a stage did into the run's next move. Pure and total:
 *
 *   output  → the next stage, or success after the stage that concludes
 *   park    → parked, never past the deadline
 *   error   → by its row of the error table: another try while there are tries, else the end
 */
export function decide(result: StageResult, at: Situation): Decision {
  const { stage } = at
  if (result.kind === 'output') {
    const { durationMs, score, artifacts } = result
    const completed: AlmanacEvent = { type: 'run.stage_completed', data: { stage, durationMs } }
    if (at.role === 'conclude')
      return {
        move: { to: 'succeeded' },
        events: [completed, { type: 'run.succeeded', data: { score, artifacts } }],
      }
    if (at.next === undefined)
      throw new Error(`no stage follows ${stage}, and it does not conclude`)
    return { move: { to: 'running', next: at.next }, events: [completed] }
  }
  if (result.kind === 'park') return parked(result.park, at)
  const { error } = result
  const { ends } = errorEntry(error.code)
  if (ends === 'retry' && at.failedBefore + 1 < at.tries) return again(error, at)
  return ended(ends === 'blocked' ? 'blocked' : 'failed', error, at)
}

function parked({ reason, wakeAt, provider }: Park, at: Situation): Decision {
  const { stage, now, deadlineAt } = at
  const deadline = deadlineAt === null ? undefined : new Date(deadlineAt)
  // A run that refines has a valid document: it wakes, and goes on with the best that it has.
  const fails = reason !== 'slot' && reason !== 'children' && stage !== 'refine'
  if (deadline && deadline <= now && fails)
    return ended(
      'failed',
      new AlmanacError('RUN_DEADLINE_PASSED', { deadlineAt: deadline.toISOString() }),
      at,
    )
  const wake = (deadline && deadline < wakeAt ? deadline : wakeAt).toISOString()
  return {
    move: { to: 'parked', reason, wakeAt: wake, ...(provider === undefined ? {} : { provider }) },
    events: [{ type: 'run.parked', data: { stage, reason, wakeAt: wake } }],
  }
}

function again(error: AlmanacError, at: Situation): Decision {
  const { stage, now, failedBefore } = at
  const delayMs = backoffMs[Math.min(failedBefore, backoffMs.length - 1)] ?? longestDelayMs
  const retryAt = new Date(now.getTime() + delayMs)
  const failed: AlmanacEvent = {
    type: 'run.stage_failed',
    data: { stage, try: failedBefore + 1, code: error.code, retryAt: retryAt.toISOString() },
  }
  if (delayMs <= longestDelayMs)
    return { move: { to: 'again', delayMs, code: error.code }, events: [failed] }
  const { move, events } = parked(new Park('backoff', retryAt), at)
  return { move, events: [failed, ...events] }
}

function ended(to: 'failed' | 'blocked', error: AlmanacError, { stage }: Situation): Decision {
  const { code, params } = error
  const exhausted: AlmanacEvent[] = isAlmanacError(error, 'BUDGET_EXHAUSTED')
    ? [
        {
          type: 'budget.exhausted',
          data: { level: error.params.level, unit: error.params.unit },
        },
      ]
    : []
  return {
    move: { to, code, params, detail: sentence(code, params) },
    events: [...exhausted, { type: `run.${to}`, data: { stage, code } }],
  }
}
