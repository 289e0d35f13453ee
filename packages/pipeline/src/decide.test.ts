import { AlmanacError, errorTable, type ErrorCode } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { decide, longestDelayMs, type Situation, type StageResult } from './decide.ts'
import { Park } from './stage.ts'

const now = new Date('2026-11-21T12:00:00.000Z')
const at = (over: Partial<Situation> = {}): Situation => ({
  stage: 'execute',
  role: 'step',
  next: 'validate',
  tries: 3,
  failedBefore: 0,
  now,
  deadlineAt: '2026-11-21T18:00:00.000Z',
  ...over,
})
const output: StageResult = { kind: 'output', durationMs: 7, score: 0.5, artifacts: ['art_1'] }
const overloaded = {
  kind: 'error',
  error: new AlmanacError('ENGINE_OVERLOADED', { engine: 'openai' }),
} as const
const park = (reason: Park['reason'], wakeAt: string) =>
  ({ kind: 'park', park: new Park(reason, new Date(wakeAt)) }) as const

describe('decide', () => {
  it('leads an output on to the next stage', () => {
    expect(decide(output, at())).toEqual({
      move: { to: 'running', next: 'validate' },
      events: [{ type: 'run.stage_completed', data: { stage: 'execute', durationMs: 7 } }],
    })
  })

  it('ends in success after the stage that concludes', () => {
    const { move, events } = decide(output, at({ stage: 'persist', role: 'conclude' }))
    expect(move).toEqual({ to: 'succeeded' })
    expect(events.at(-1)).toEqual({
      type: 'run.succeeded',
      data: { score: 0.5, artifacts: ['art_1'] },
    })
  })

  it.each([
    [0, { to: 'again', delayMs: 1_000, code: 'ENGINE_OVERLOADED' }],
    [1, { to: 'again', delayMs: 4_000, code: 'ENGINE_OVERLOADED' }],
  ])('tries again in place after %i failures', (failedBefore, move) => {
    expect(decide(overloaded, at({ failedBefore })).move).toEqual(move)
  })

  it('parks a try that is more than five seconds away', () => {
    expect(longestDelayMs).toBe(5_000)
    expect(decide(overloaded, at({ failedBefore: 2, tries: 5 })).move).toEqual({
      to: 'parked',
      reason: 'backoff',
      wakeAt: '2026-11-21T12:00:15.000Z',
    })
  })

  it('fails when the tries are used up', () => {
    const { move, events } = decide(overloaded, at({ failedBefore: 2 }))
    expect(move).toMatchObject({ to: 'failed', code: 'ENGINE_OVERLOADED' })
    expect(events).toEqual([
      { type: 'run.failed', data: { stage: 'execute', code: 'ENGINE_OVERLOADED' } },
    ])
  })

  it('tells of the budget that a run failed for, and then of its end', () => {
    const params = { level: 'root', unit: 'tokens', needed: 7, left: 3, because: 'limit' } as const
    const error = new AlmanacError('BUDGET_EXHAUSTED', params)
    expect(decide({ kind: 'error', error }, at()).events).toEqual([
      { type: 'budget.exhausted', data: { level: 'root', unit: 'tokens' } },
      { type: 'run.failed', data: { stage: 'execute', code: 'BUDGET_EXHAUSTED' } },
    ])
  })

  it.each(Object.keys(errorTable) as ErrorCode[])('ends %s as its row says', (code) => {
    const row = errorTable[code]
    const error = new AlmanacError(code, row.sample)
    const { move } = decide({ kind: 'error', error }, at({ failedBefore: 0, tries: 2 }))
    expect(move.to).toBe(row.ends === 'retry' ? 'again' : row.ends)
    if ('detail' in move) expect(move.detail).toBe(error.message)
  })

  it('never parks past the deadline', () => {
    expect(decide(park('economy', '2026-11-22T12:00:00Z'), at()).move).toEqual({
      to: 'parked',
      reason: 'economy',
      wakeAt: '2026-11-21T18:00:00.000Z',
    })
  })

  it('fails a park whose deadline has passed', () => {
    const late = at({ deadlineAt: '2026-11-21T11:59:59.000Z' })
    expect(decide(park('backoff', '2026-11-21T12:01:00Z'), late).move).toMatchObject({
      to: 'failed',
      code: 'RUN_DEADLINE_PASSED',
    })
  })

  it('fails no run for its deadline that has a valid document to go on with', () => {
    const late = at({ stage: 'refine', deadlineAt: '2026-11-21T11:59:59.000Z' })
    expect(decide(park('provider_stopped', '2026-11-21T12:05:00Z'), late).move).toEqual({
      to: 'parked',
      reason: 'provider_stopped',
      wakeAt: '2026-11-21T11:59:59.000Z',
    })
  })
})
