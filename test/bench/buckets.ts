import { createRedisBuckets } from '@almanac/queue'
import { findOwnRedis } from '../support/redis.ts'

/** Calls whose rate is decided at once, as in a few busy worker processes. */
const width = 256
const tenants = 200
const secondsPerRound = 3

/**
 * `bucketDecisionsPerSecond`: how many calls a second one process has decided over all four buckets
 * (requests and tokens of the provider key and of one of 200 tenants) in Redis with its append-only file.
 * The limits are high enough for every call to be let through: each decision takes and stores.
 */
export async function measureBuckets(rounds: number): Promise<Record<string, number[]>> {
  const redis = await findOwnRedis('the rate of bucket decisions')
  if (!redis) throw new Error('the buckets need a redis-server')
  const buckets = createRedisBuckets({
    redisUrl: redis.url,
    onError: (error) => {
      throw error
    },
  })
  // A new bucket fills at half its limit: ten times what is asked for here.
  const provider = { key: 'provider:openai', requests: 1e9, tokens: 1e12 }
  const calls = Array.from({ length: tenants }, (_, n) => ({
    tokens: 9_000,
    limits: [provider, { key: `tenant:${n}`, requests: 10_000_000, tokens: 10_000_000_000 }],
  }))
  let granted = 0
  const decide = async (seconds: number): Promise<number> => {
    const startedAt = performance.now()
    const endsAt = startedAt + seconds * 1_000
    let decided = 0
    granted = 0
    const ask = async () => {
      while (performance.now() < endsAt) {
        const call = calls[decided % tenants]
        decided += 1
        if (call && (await buckets.take(call)).granted) granted += 1
      }
    }
    await Promise.all(Array.from({ length: width }, ask))
    if (granted < 0.99 * decided) throw new Error(`only ${granted} of ${decided} were let through`)
    return decided / ((performance.now() - startedAt) / 1_000)
  }
  try {
    // The buckets start empty, and the process compiles its code.
    await Promise.all(calls.map((call) => buckets.take(call)))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await decide(1).catch(() => undefined)
    const figures: number[] = []
    for (let round = 0; round < rounds; round += 1) figures.push(await decide(secondsPerRound))
    return { bucketDecisionsPerSecond: figures }
  } finally {
    await buckets.close()
    await redis.stop()
  }
}
