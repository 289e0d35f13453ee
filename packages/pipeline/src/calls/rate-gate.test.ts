import { isAlmanacError } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../ports.ts'
import {
  bucketEnding,
  createRateGate,
  type BucketAnswer,
  type LimitedCall,
  type RateBuckets,
  type RateGateParts,
} from './rate-gate.ts'

const tenantId = newId('tenant')
const request = { provider: 'openai', tenantId, tokens: 900 }
const none = { requests: null, tokens: null }

/** Buckets that answer as they are told, and note what they were asked. */
function scripted(answers: (BucketAnswer | Error)[], roomy: string[] = []) {
  const asked: LimitedCall[] = []
  const buckets: RateBuckets = {
    take: (call) => {
      asked.push(call)
      const answer = answers.shift() ?? new Error('nobody listens')
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
    },
    end: () => Promise.reject(new Error('nobody listens')),
    room: () => Promise.resolve(new Set(roomy)),
  }
  const [slept, errors]: [number[], unknown[]] = [[], []]
  const gateWith = (parts: Partial<RateGateParts> = {}) =>
    createRateGate({
      buckets,
      ofProvider: () => ({ requests: 10, tokens: null }),
      ofTenant: () => none,
      patienceMs: 1_000,
      sleep: (ms) => Promise.resolve(void slept.push(ms)),
      onError: (error) => errors.push(error),
      ...parts,
    })
  return { asked, slept, errors, gateWith }
}

const refused = (retryAfterMs: number | null): BucketAnswer => ({
  granted: false,
  retryAfterMs,
  bucket: 'provider:openai tokens',
})

describe('the gate of the rate limits', () => {
  it('asks no bucket where nothing is limited', async () => {
    const { asked, gateWith } = scripted([])
    const gate = gateWith({ ofProvider: () => none })
    expect(await gate.take(request)).toEqual({ granted: true })
    expect(await gate.room('openai', [tenantId])).toEqual(new Set([tenantId]))
    expect(asked).toEqual([])
  })

  it('waits a little, and says how long when that is not enough', async () => {
    const { slept, gateWith } = scripted([refused(600), refused(300), refused(200)])
    expect(await gateWith().take(request)).toEqual({ granted: false, retryAfterMs: 200 })
    expect(slept).toEqual([600, 300])
    const granted = scripted([refused(50), { granted: true, takenAt: 7 }])
    expect(await granted.gateWith().take(request)).toEqual({
      granted: true,
      ticket: { ...request, takenAt: 7 },
    })
  })

  it('lets nothing through, and breaks nothing, while the buckets cannot be reached', async () => {
    const { errors, gateWith } = scripted([])
    const gate = gateWith()
    expect(await gate.take(request)).toEqual({ granted: false, retryAfterMs: 2_000 })
    await gate.end({ ...request, takenAt: 1 }, 'unsent')
    expect(errors).toHaveLength(2)
  })

  it('throws for a call that no wait would let through', async () => {
    const gate = scripted([refused(null)]).gateWith({
      ofProvider: () => ({ requests: null, tokens: 500 }),
    })
    await expect(gate.take(request)).rejects.toSatisfy(
      (error) => isAlmanacError(error, 'RATE_LIMIT_TOO_LOW') && error.params.limit === 500,
    )
  })

  it('has room for the tenants whose own bucket and whose provider’s have', async () => {
    const [other, free] = [newId('tenant'), newId('tenant')]
    const tenants = [tenantId, other, free]
    const parts = {
      ofTenant: (id: string) => (id === free ? none : { requests: 5, tokens: null }),
    }
    const some = scripted([], ['provider:openai', `tenant:${other}`]).gateWith(parts)
    expect(await some.room('openai', tenants)).toEqual(new Set([other, free]))
    const empty = scripted([], [`tenant:${other}`]).gateWith(parts)
    expect(await empty.room('openai', tenants)).toEqual(new Set())
  })
})

describe('the end of a call', () => {
  const ticket = { ...request, takenAt: 1 }
  const usage = { inputTokens: 300, cachedInputTokens: 0, outputTokens: 100, estimated: false }
  const served = { model: 'm', tier: 'standard' }
  const table: [string, Outcome | 'unsent', object][] = [
    ['unsent', 'unsent', { back: [1, 900], pressure: null }],
    [
      'served',
      { kind: 'truncated', usage, served, requestId: '' },
      { back: [0, 500], pressure: 'served', closeMs: null },
    ],
    [
      'beyond its estimate',
      { kind: 'refused', usage: { ...usage, outputTokens: 1_000 }, served, requestId: '' },
      { back: [0, -400], pressure: 'served' },
    ],
    [
      'turned away for its rate',
      { kind: 'not_billed', reason: 'rate', retryAfterMs: 9_000 },
      { back: [0, 900], pressure: 'refused', closeMs: 9_000 },
    ],
    [
      'turned away for an hour',
      { kind: 'not_billed', reason: 'overloaded', retryAfterMs: 3_600_000 },
      { pressure: 'refused', closeMs: 60_000 },
    ],
    [
      'without flex capacity',
      { kind: 'not_billed', reason: 'flex_unavailable', retryAfterMs: 9_000 },
      { back: [0, 900], pressure: null, closeMs: null },
    ],
    ['lost', { kind: 'unknown', reason: 'reset' }, { back: [0, 0], pressure: 'refused' }],
    ['unpaid', { kind: 'billing_stop', code: 'x' }, { back: [0, 900], pressure: null }],
    [
      'told of an empty bucket',
      {
        kind: 'completed',
        output: {},
        usage,
        served,
        requestId: '',
        told: { requests: { left: 0, resetMs: 12_000 }, tokens: { left: 70, resetMs: 50_000 } },
      },
      { left: [0, 70], closeMs: 12_000, pressure: 'served' },
    ],
  ]
  it.each(table)('%s', (_, ending, expected) => {
    expect(bucketEnding(ticket, ending)).toMatchObject(expected)
  })
})
