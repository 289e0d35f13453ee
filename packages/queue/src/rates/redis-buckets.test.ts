import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { rateConformance } from '../../../pipeline/src/testing/rate-conformance.ts'
import { findOwnRedis } from '../../../../test/support/redis.ts'
import { createRedisBuckets, type RedisBuckets } from './redis-buckets.ts'

const redis = await findOwnRedis('the rate buckets in Redis')

describe.skipIf(!redis)('the rate buckets in Redis', () => {
  const redisUrl = redis?.url ?? ''
  const client = new Redis(redisUrl, { lazyConnect: true })
  const opened: RedisBuckets[] = []
  const errors: unknown[] = []
  const open = (clock?: { at: number }): RedisBuckets => {
    const prefix = `test-${randomBytes(4).toString('hex')}`
    const buckets = createRedisBuckets({
      redisUrl,
      prefix,
      ...(clock ? { clock: { now: () => new Date(clock.at) } } : {}),
      onError: (error) => errors.push(error),
    })
    opened.push(buckets)
    return buckets
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((buckets) => buckets.close()))
    expect(errors.splice(0)).toEqual([])
  })
  afterAll(async () => {
    client.disconnect()
    await redis?.stop()
  })

  for (const [name, check] of Object.entries(rateConformance))
    it(name, { timeout: 120_000 }, async () => {
      const clock = { at: Date.parse('2026-11-21T12:00:00Z') }
      const forget = async () => void (await client.flushall())
      await check({ buckets: open(clock), clock, forget })
    })

  it('goes by the server’s clock when it has none, and knows its script after a flush', async () => {
    const buckets = open()
    const limits = [{ key: 'tenant:a', requests: 1_000, tokens: null }]
    const first = await buckets.take({ tokens: 1, limits })
    expect(first.granted).toBe(false)
    await client.script('FLUSH')
    const taken = await vi.waitFor(async () => {
      const answer = await buckets.take({ tokens: 1, limits })
      expect(answer.granted).toBe(true)
      return answer
    })
    expect(taken.granted && Math.abs(taken.takenAt - Date.now()) < 60_000).toBe(true)
  })

  it('is an error at once when the server is gone', async () => {
    const gone = createRedisBuckets({ redisUrl: 'redis://127.0.0.1:1', onError: () => undefined })
    const limits = [{ key: 'tenant:a', requests: 10, tokens: null }]
    await expect(gone.take({ tokens: 1, limits })).rejects.toThrow()
    await expect(gone.take({ tokens: 1, limits })).rejects.toThrow()
    await gone.close()
  })
})
