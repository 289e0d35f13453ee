import { createSimulator, type Listening } from '@almanac/simulator'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  newDataDir,
  removeDataDir,
  startAlmanac,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import {
  askForRuns,
  environmentOf,
  expectNothingLost,
  requestHashOf,
  storedSends,
  untilSucceeded,
} from './paid-system.ts'
import { model } from './watched-engine.ts'

/** Redis holds nothing that Postgres does not know: it may be wiped while hundreds of runs are under way. */
const redis = await findOwnRedis('a Redis that is wiped under way')
const test = await testDatabase()
/** Slow enough for hundreds of runs to be under way. */
const latency = { firstByteMs: 1_000, jitter: 0.5 }
const simulator = createSimulator({ models: [model], latency })
const dataDir = newDataDir()
let listening: Listening
let almanac: AlmanacProcess | undefined
beforeAll(async () => {
  listening = await simulator.listen()
})
afterAll(async () => {
  await almanac?.stop()
  await listening.close()
  await redis?.stop()
  removeDataDir(dataDir)
})

const unfinished = async (): Promise<number> => {
  const [row] = await test.superuser<{ runs: number }>(
    'select count(*)::integer as runs from runs where finished_at is null',
  )
  return row?.runs ?? 0
}

describe.skipIf(!redis)('FLUSHALL during 500 runs', () => {
  it('loses nothing and pays for nothing twice', { timeout: 400_000 }, async () => {
    const redisUrl = redis?.url ?? ''
    const env = environmentOf({ databaseUrl: test.url, redisUrl, baseUrl: listening.baseUrl })
    almanac = await startAlmanac(dataDir, { env })
    const system = { test, simulator, env, processes: [almanac] }
    const client = new Redis(redisUrl)
    try {
      await askForRuns(almanac, env, 500)
      for (const done of [100, 300]) {
        await untilSucceeded(system, done)
        expect(await unfinished()).toBeGreaterThan(100)
        await client.flushall()
      }
    } finally {
      client.disconnect()
    }
    // With the sample, which the first start makes.
    await untilSucceeded(system, 501)
    await expectNothingLost(system, 501)

    await simulator.log.idle()
    expect(simulator.log.paidTwice()).toEqual([])
    const sends = await storedSends(system)
    expect(sends.filter(({ seq, state }) => seq !== 1 || state !== 'settled')).toEqual([])
    const received = simulator.log.entries().map((entry) => requestHashOf(simulator, entry))
    expect(received.toSorted()).toEqual(sends.map((send) => send.request_hash).toSorted())
  })
})
