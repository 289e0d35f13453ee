import { createPostgresBuckets } from '@almanac/db'
import { newId } from '@almanac/domain/ids'
import { createRateGate, type RateBuckets, type RateLimits } from '@almanac/pipeline'
import { createRedisBuckets } from '@almanac/queue'
import { createSimulator, type LogEntry } from '@almanac/simulator'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { findRedis } from '../support/redis.ts'
import { createTickingClock, type TickingClock } from '../support/ticking-clock.ts'
import { sendTraffic } from './wire-traffic.ts'

/**
 * What the provider sees of rate limits: real requests over HTTP from four workers, each with buckets of
 * its own over the one store, held against the simulator's own log. The clock of all is the same, and ticks
 * when everybody waits; so minutes take seconds, and no request is ever late for its instant.
 */
const minute = 60_000
const own: RateLimits = { requests: 2_000, tokens: 165_000 }
const [busy, wordy, free] = [newId('tenant'), newId('tenant'), newId('tenant')]
const ofTenant = new Map<string, RateLimits>([
  [busy, { requests: 500, tokens: null }],
  [wordy, { requests: null, tokens: 40_000 }],
])
const unlimited: RateLimits = { requests: null, tokens: null }
const workers = 4

async function play(
  calls: number,
  open: (clock: TickingClock) => RateBuckets,
): Promise<readonly LogEntry[]> {
  const clock = createTickingClock('2026-11-21T12:00:00Z', 400)
  // One who sent too much would be turned away; and now and then anybody is.
  const simulator = createSimulator(
    {
      latency: { firstByteMs: 600, jitter: 0.9, tokensPerSecond: 60 },
      limits: { requestsPerMinute: own.requests ?? 0 },
      probabilities: { rate_429: 0.001 },
    },
    { clock },
  )
  const listening = await simulator.listen()
  onTestFinished(() => listening.close())
  const errors: unknown[] = []
  const gates = Array.from({ length: workers }, () =>
    createRateGate({
      buckets: open(clock),
      ofProvider: () => own,
      ofTenant: (tenantId) => ofTenant.get(tenantId) ?? unlimited,
      patienceMs: 1_000,
      sleep: async (ms) => void (await clock.wait(ms, new AbortController().signal)),
      onError: (error) => errors.push(error),
    }),
  )
  await sendTraffic({
    clock,
    listening,
    gates,
    tenants: [busy, wordy, free],
    calls,
    concurrency: 10,
  })
  expect(errors).toEqual([])
  return simulator.log.entries()
}

interface Seen {
  at: number
  tokens: number
}

const seenBy = (entries: readonly LogEntry[]): Seen[] =>
  entries.map(({ arrivedAt, billed }) => ({
    at: Date.parse(arrivedAt),
    tokens: billed ? billed.inputTokens + billed.outputTokens : 0,
  }))

/** The most that any window of `ms` holds, its first and last instant included. */
function most(calls: readonly Seen[], ms: number, of: (call: Seen) => number): number {
  let [first, sum, found] = [0, 0, 0]
  for (const call of calls) {
    sum += of(call)
    for (let old = calls[first]; old && old.at < call.at - ms; old = calls[++first]) sum -= of(old)
    found = Math.max(found, sum)
  }
  return found
}

/** In no window more than a twentieth of the limit at once, and the rest as time passes. */
function keeps(calls: readonly Seen[], limit: number | null, of: (call: Seen) => number): void {
  if (limit === null) return
  for (const ms of [0, 1_000, 10_000, minute]) {
    const allowed = 0.05 * limit + (0.95 * limit * ms) / minute
    expect(most(calls, ms, of), `within ${ms} ms, of ${limit} a minute`).toBeLessThanOrEqual(
      allowed,
    )
  }
}

const one = () => 1
const tokensOf = ({ tokens }: Seen) => tokens

function judge(entries: readonly LogEntry[], calls: number): void {
  expect(entries).toHaveLength(calls)
  // The provider turns away what its fault says, and nobody for having sent too much.
  const turnedAway = entries.filter(({ status }) => status === 429)
  expect(turnedAway.every(({ fault }) => fault?.name === 'rate_429')).toBe(true)
  expect(entries.filter(({ status }) => status !== 200)).toEqual(turnedAway)

  const all = seenBy(entries)
  keeps(all, own.requests, one)
  keeps(all, own.tokens, tokensOf)
  for (const [tenant, limits] of ofTenant) {
    const theirs = seenBy(entries.filter(({ metadata }) => metadata['tenant'] === tenant))
    expect(theirs.length).toBeGreaterThan(calls / 8)
    keeps(theirs, limits.requests, one)
    keeps(theirs, limits.tokens, tokensOf)
  }
  // It was the limits that held them back: they were used, as far as those who slow down after a 429 of
  // the provider's use them.
  expect(most(all, minute, tokensOf)).toBeGreaterThan(0.5 * (own.tokens ?? 0))
}

describe('what a provider sees of four workers in any sliding minute', () => {
  it('20,000 calls, by buckets in Redis', { timeout: 300_000 }, async ({ skip }) => {
    const redis = await findRedis('rate limits against the simulator’s log')
    if (!redis) return skip()
    onTestFinished(() => redis.stop())
    const prefix = `wire-${process.pid}`
    const entries = await play(20_000, (clock) => {
      const buckets = createRedisBuckets({
        redisUrl: redis.url,
        prefix,
        clock: { now: () => new Date(clock.now()) },
        onError: (error) => expect.unreachable(String(error)),
      })
      onTestFinished(() => buckets.close())
      return buckets
    })
    judge(entries, 20_000)
  })

  it('5,000 calls, by buckets in Postgres', { timeout: 300_000 }, async () => {
    const { db } = await testDatabase()
    const entries = await play(5_000, (clock) =>
      createPostgresBuckets(db, { clock: { now: () => new Date(clock.now()) } }),
    )
    judge(entries, 5_000)
  })
})
