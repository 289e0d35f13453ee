import { createClient } from '@almanac/client'
import { createSimulator, type Listening } from '@almanac/simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  almanac,
  newDataDir,
  removeDataDir,
  startAlmanac,
  until,
  type AlmanacProcess,
} from '../support/almanac-process.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import {
  askForRuns,
  environmentOf,
  expectNothingLost,
  storedSends,
  untilSucceeded,
} from './paid-system.ts'
import { model } from './watched-engine.ts'

/**
 * Spending is stopped while two processes have their hands full: the provider sees no new call after two
 * seconds, and everything goes on when it is resumed. Then the provider itself stops the account.
 */
const redis = await findOwnRedis('stopped spending with the queue in Redis')
const test = await testDatabase()
/** So few calls at once, and so slow, that runs are asked for faster than they are made: most wait. */
const concurrency = '8'
const latency = { firstByteMs: 1_500, jitter: 0.5 }
const runs = 300
const simulator = createSimulator({ models: [model], latency })
const folders = [newDataDir(), newDataDir()]
const processes: AlmanacProcess[] = []
let listening: Listening
beforeAll(async () => {
  listening = await simulator.listen()
})
afterAll(async () => {
  await Promise.all(processes.map((process) => process.stop()))
  await listening.close()
  await redis?.stop()
  folders.forEach(removeDataDir)
})

/** How many runs are in each state. */
const states = async (): Promise<Record<string, number>> => {
  const rows = await test.superuser<{ state: string; runs: number }>(
    'select coalesce(park_reason, state) as state, count(*)::integer as runs from runs group by 1',
  )
  return Object.fromEntries(rows.map(({ state, runs }) => [state, runs]))
}

const arrivedAfter = (at: Date): number =>
  simulator.log.entries().filter(({ arrivedAt }) => Date.parse(arrivedAt) > at.getTime()).length

describe.skipIf(!redis)('stopped spending', () => {
  it('stops all calls within 2 s, and goes on when resumed', { timeout: 300_000 }, async () => {
    const redisUrl = redis?.url ?? ''
    const env = {
      ...environmentOf({ databaseUrl: test.url, redisUrl, baseUrl: listening.baseUrl }),
      ALMANAC_CONCURRENCY: concurrency,
    }
    const operator = async (...args: string[]) => {
      const { code, stdout, stderr } = await almanac(args, { env })
      expect(stderr).toBe('')
      expect(code).toBe(0)
      return stdout
    }
    for (const folder of folders) processes.push(await startAlmanac(folder, { env }))
    const [first, second] = processes
    if (!first || !second) throw new Error('no process')
    const system = { test, simulator, env, processes }
    await askForRuns(first, env, runs)
    await untilSucceeded(system, 60)
    const callers = async (since: Date) => {
      const rows = await test.superuser(
        'select distinct worker_id from engine_calls where opened_at > $1',
        [since],
      )
      return rows.length
    }
    expect(await callers(new Date(0))).toBe(processes.length)

    expect(await operator('stop-spend', '--all', '--reason', 'a test')).toContain('Stopped')
    const [stop] = await test.superuser<{ stopped_at: Date }>('select stopped_at from spend_stops')
    if (!stop) throw new Error('nothing is stopped')
    const limit = new Date(stop.stopped_at.getTime() + 2_000)
    expect(arrivedAfter(new Date(stop.stopped_at.getTime() - 2_000))).toBeGreaterThan(0)
    // Calls under way end; then nothing runs any more, and the time in which it might is over.
    await until(async () => !('running' in (await states())) || undefined, undefined, 60_000)
    await until(() => Date.now() > limit.getTime() + 3_000 || undefined)
    expect(arrivedAfter(limit)).toBe(0)
    const stopped = await states()
    expect((stopped['provider_stopped'] ?? 0) + (stopped['queued'] ?? 0)).toBeGreaterThan(100)
    expect(await operator('stop-spend')).toContain('all since')

    // Stopped by the one, resumed through the other.
    const { secret } = JSON.parse(await operator('key', 'create', '--operator', '--json')) as {
      secret: string
    }
    const operators = createClient({ url: second.url, key: secret })
    expect(await operators.listSpendStops()).toMatchObject({
      data: [{ scope: 'all', reason: 'a test' }],
    })
    const resumedAt = new Date()
    const lifted = await operators.liftSpendStop({ query: { scope: 'all' } })
    expect(lifted.queuedRuns).toBe(stopped['provider_stopped'])
    await untilSucceeded(system, (stopped['succeeded'] ?? 0) + 80)
    expect(await callers(resumedAt)).toBe(processes.length)

    // The account itself: one refusal for want of money, and no process calls any more.
    simulator.control.addFaults({ fault: 'billing_429', times: 1 })
    const opened = await until(async () => {
      const [circuit] = await test.superuser<{ opened_at: Date }>(
        `select opened_at from provider_circuits where state = 'open'`,
      )
      return circuit?.opened_at
    })
    await until(async () => !('running' in (await states())) || undefined, undefined, 60_000)
    expect(arrivedAfter(new Date(opened.getTime() + 2_000))).toBe(0)
    expect((await states())['provider_stopped']).toBeGreaterThan(0)
    expect(await operator('provider', 'list')).toContain('openai: open (insufficient_quota)')
    expect(await operator('provider', 'resume', 'openai')).toContain('Resumed')

    // With the sample, which the first start makes.
    await untilSucceeded(system, runs + 1)
    await simulator.log.idle()
    expect(simulator.log.paidTwice()).toEqual([])
    const released = (await storedSends(system)).filter(({ state }) => state !== 'settled')
    expect(released.map(({ state, reason }) => ({ state, reason }))).toEqual([
      { state: 'released', reason: 'insufficient_quota' },
    ])
    await expectNothingLost(system, runs + 1)
  })
})
