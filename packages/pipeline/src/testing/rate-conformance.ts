import assert from 'node:assert/strict'
import type { BucketEnding, KeyLimits, RateBuckets } from '../calls/rate-gate.ts'
import { busiestMinute, simulateTraffic, type SentCall } from './rate-traffic.ts'

/** What a case gets: buckets under a clock of its own, and a way to lose all that they remember. */
export interface RateCase {
  buckets: RateBuckets
  clock: { at: number }
  forget(): Promise<void>
}

const provider = (requests: number | null, tokens: number | null = null): KeyLimits => ({
  key: 'provider:openai',
  requests,
  tokens,
})
const tenant = (name: string, requests: number | null, tokens: number | null = null) => ({
  key: `tenant:${name}`,
  requests,
  tokens,
})

const ending = (given: Partial<BucketEnding> = {}): BucketEnding => ({
  back: [0, 0],
  pressure: null,
  closeMs: null,
  left: [null, null],
  ...given,
})

const minute = 60_000

/** How many calls of one instant are let through. */
const burstOf = async (
  { buckets }: RateCase,
  limits: readonly KeyLimits[],
  { tokens = 1, tries = 60 } = {},
): Promise<number> => {
  const answers = await Promise.all(
    Array.from({ length: tries }, () => buckets.take({ tokens, limits })),
  )
  return answers.filter(({ granted }) => granted).length
}

/** Fills a new bucket, which starts empty, to the brim. */
const settle = async (one: RateCase, limits: readonly KeyLimits[]): Promise<void> => {
  await one.buckets.take({ tokens: 1, limits })
  one.clock.at += 10 * minute
}

/** What the buckets do, wherever they are kept. */
export const rateConformance: Record<string, (given: RateCase) => Promise<void>> = {
  'starts empty and slow: what was forgotten may have been sent a moment ago': async (given) => {
    const { buckets, clock } = given
    const limits = [provider(600)]
    const first = await buckets.take({ tokens: 1, limits })
    assert.ok(!first.granted)
    // 570 a minute, and half of it at first.
    assert.deepEqual(first, {
      granted: false,
      retryAfterMs: Math.ceil(minute / (570 / 2)),
      bucket: 'provider:openai requests',
    })
    clock.at += first.retryAfterMs ?? 0
    assert.equal((await buckets.take({ tokens: 1, limits })).granted, true)
  },

  'gives at most a twentieth of the limit at once, and one call in any case': async (given) => {
    await settle(given, [provider(600)])
    assert.equal(await burstOf(given, [provider(600)]), 30)
    await settle(given, [tenant('small', 6)])
    assert.equal(await burstOf(given, [tenant('small', 6)]), 1)
  },

  'never gives two calls a minute where the limit is one': async (given) => {
    const limits = [tenant('one', 1)]
    await settle(given, limits)
    const sent: number[] = []
    for (let i = 0; i < 400; i += 1) {
      const { granted } = await given.buckets.take({ tokens: 1, limits })
      if (granted) sent.push(given.clock.at)
      given.clock.at += 1_000
    }
    assert.ok(sent.length >= 6, `${sent.length} calls in 400 s`)
    sent.forEach((at, i) => assert.ok(i === 0 || at - (sent[i - 1] ?? 0) > minute))
  },

  'says exactly how long to wait': async (given) => {
    const { buckets, clock } = given
    const limits = [provider(600), tenant('a', 60)]
    await settle(given, limits)
    await burstOf(given, limits)
    const answer = await buckets.take({ tokens: 1, limits })
    assert.ok(!answer.granted && answer.retryAfterMs !== null)
    assert.equal(answer.bucket, 'tenant:a requests')
    clock.at += answer.retryAfterMs - 2
    assert.equal((await buckets.take({ tokens: 1, limits })).granted, false)
    clock.at += 2
    assert.equal((await buckets.take({ tokens: 1, limits })).granted, true)
  },

  'takes from all buckets of a call or from none': async (given) => {
    const limits = [provider(600), tenant('poor', 20)]
    await settle(given, limits)
    assert.equal(await burstOf(given, limits), 1)
    assert.equal(await burstOf(given, [provider(600)]), 29)
  },

  'keeps tenants apart under the provider’s own limit': async (given) => {
    const [a, b] = [tenant('a', 200), tenant('b', 200)]
    await settle(given, [provider(300), a])
    await settle(given, [provider(300), b])
    given.clock.at += 10 * minute
    assert.equal(await burstOf(given, [provider(300), a]), 10)
    assert.equal(await burstOf(given, [provider(300), b]), 5)
  },

  'lets a call larger than the burst through, and fills slower for it': async (given) => {
    const { buckets, clock } = given
    const limits = [provider(null, 100_000)]
    await settle(given, limits)
    const answer = await buckets.take({ tokens: 40_000, limits })
    assert.ok(!answer.granted && answer.retryAfterMs !== null)
    clock.at += answer.retryAfterMs
    assert.equal((await buckets.take({ tokens: 40_000, limits })).granted, true)
  },

  'says that a call beyond nine tenths of a limit never fits': async ({ buckets }) => {
    const answer = await buckets.take({ tokens: 95_000, limits: [provider(null, 100_000)] })
    assert.deepEqual(answer, {
      granted: false,
      retryAfterMs: null,
      bucket: 'provider:openai tokens',
    })
  },

  'gives back what was not used, and asks for what was used beyond': async (given) => {
    const { buckets, clock } = given
    const limits = [tenant('a', null, 100_000)]
    await settle(given, limits)
    // Two minutes after it was full, the bucket gives back again.
    for (let i = 0; i < 130; i += 1) {
      await burstOf(given, limits, { tokens: 500, tries: 11 })
      clock.at += 1_000
    }
    const taken = await buckets.take({ tokens: 1_500, limits })
    assert.ok(taken.granted)
    const call = { tokens: 1_500, limits, takenAt: taken.takenAt }
    await burstOf(given, limits, { tokens: 100 })
    await buckets.end(call, ending({ back: [0, 1_200] }))
    assert.equal(await burstOf(given, limits, { tokens: 100 }), 12)
    await buckets.end(call, ending({ back: [0, -3_000] }))
    const answer = await buckets.take({ tokens: 100, limits })
    assert.ok(!answer.granted && (answer.retryAfterMs ?? 0) > 1_900)
  },

  'gives nothing back into a bucket that was full meanwhile': async (given) => {
    const { buckets, clock } = given
    const limits = [tenant('a', null, 100_000)]
    await settle(given, limits)
    const taken = await buckets.take({ tokens: 4_000, limits })
    assert.ok(taken.granted)
    clock.at += minute
    assert.equal(await burstOf(given, limits, { tokens: 1_000 }), 5)
    await buckets.end(
      { tokens: 4_000, limits, takenAt: taken.takenAt },
      ending({ back: [0, 4_000] }),
    )
    assert.equal(await burstOf(given, limits, { tokens: 1_000 }), 0)
  },

  'halves a provider’s pace at a refusal, once for the calls under way, and regains it': async (
    given,
  ) => {
    const { buckets, clock } = given
    const limits = [provider(600)]
    const call = { tokens: 1, limits }
    const waitMs = async () => {
      await burstOf(given, limits)
      const answer = await buckets.take(call)
      return answer.granted ? 0 : (answer.retryAfterMs ?? 0)
    }
    const serve = async (seconds: number) => {
      for (let i = 0; i < seconds; i += 1) {
        clock.at += 1_000
        await buckets.end({ ...call, takenAt: clock.at }, ending({ pressure: 'served' }))
      }
    }
    await buckets.take(call)
    await serve(60)
    const full = await waitMs()
    const takenAt = clock.at
    clock.at += 1
    for (let i = 0; i < 5; i += 1)
      await buckets.end({ ...call, takenAt }, ending({ pressure: 'refused' }))
    const halved = await waitMs()
    assert.ok(halved > 1.7 * full && halved < 2.3 * full, `${full} ms, then ${halved} ms`)
    await serve(20)
    const later = await waitMs()
    assert.ok(later < halved && later > full, `${halved} ms, then ${later} ms`)
    await serve(60)
    assert.ok((await waitMs()) <= full)
  },

  'heeds what the provider’s headers say': async (given) => {
    const { buckets, clock } = given
    const limits = [provider(600, 1_000_000)]
    await settle(given, limits)
    const call = { tokens: 1, limits, takenAt: clock.at }
    await buckets.end(call, ending({ left: [4, 900_000] }))
    assert.equal(await burstOf(given, limits), 4)
    clock.at += minute
    await buckets.end(call, ending({ closeMs: 20_000 }))
    assert.equal(await burstOf(given, limits), 0)
    clock.at += 20_000
    assert.equal(await burstOf(given, limits), 30)
  },

  'tells which keys have room': async (given) => {
    const [a, b] = [tenant('a', 20), tenant('b', 20)]
    const both = async () => [...(await given.buckets.room([provider(600), a, b]))].toSorted()
    assert.deepEqual(await both(), ['provider:openai', 'tenant:a', 'tenant:b'])
    await settle(given, [provider(600), a])
    await given.buckets.take({ tokens: 1, limits: [provider(600), a] })
    assert.deepEqual(await both(), ['provider:openai', 'tenant:b'])
    given.clock.at += minute
    assert.deepEqual(await both(), ['provider:openai', 'tenant:a', 'tenant:b'])
  },

  '20,000 calls never pass a limit in any minute, and come near it': async ({ buckets, clock }) => {
    const limits = {
      provider: provider(4_500, 1_500_000),
      tenants: [
        tenant('a', 2_500, 1_000_000),
        tenant('b', null, 300_000),
        tenant('c', 500),
        tenant('d', null),
      ],
    }
    const log = await simulateTraffic({ buckets, clock, calls: 20_000, limits })
    assert.equal(log.length, 20_000)
    keepsLimits(log, limits)
    const c = busiestMinute(log.filter(({ tenant: key }) => key === 'tenant:c'))
    assert.ok(c.requests > 480, `${c.requests} of 500 requests at most`)
  },

  'calls never pass a limit when all is forgotten on the way, and some are turned away': async ({
    buckets,
    clock,
    forget,
  }) => {
    const limits = {
      provider: provider(2_400, 900_000),
      tenants: [tenant('a', 1_200), tenant('b', null)],
    }
    let forgotten = 0
    const log = await simulateTraffic({
      buckets,
      clock,
      calls: 6_000,
      limits,
      refusals: 0.001,
      onTick: async (sent) => {
        if (sent < 1_500 * (forgotten + 1)) return
        forgotten += 1
        await forget()
      },
    })
    assert.ok(forgotten >= 4)
    keepsLimits(log, limits)
  },
}

function keepsLimits(
  log: readonly SentCall[],
  { provider: own, tenants }: { provider: KeyLimits; tenants: readonly KeyLimits[] },
): void {
  for (const { key, requests, tokens } of [own, ...tenants]) {
    const calls = key === own.key ? log : log.filter((call) => call.tenant === key)
    const busiest = busiestMinute(calls)
    assert.ok(calls.length > 500, `${key}: only ${calls.length} calls`)
    assert.ok(busiest.requests <= (requests ?? Infinity), `${key}: ${busiest.requests} requests`)
    assert.ok(busiest.tokens <= (tokens ?? Infinity), `${key}: ${busiest.tokens} tokens`)
  }
}
