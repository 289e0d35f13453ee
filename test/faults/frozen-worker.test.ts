import { createSimulator, type Listening } from '@almanac/simulator'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
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
  requestHashOf,
  storedSends,
  untilSucceeded,
  workerOf,
  type PaidSystem,
} from './paid-system.ts'
import { model } from './watched-engine.ts'

/**
 * One of two workers is frozen for longer than its lock and its lease with calls open, and wakes when
 * the other has done its work: it must notice, record nothing, and leave.
 */
const redis = await findOwnRedis('a worker that is frozen, with its queue in Redis')
const databases = { redis: await testDatabase(), postgres: await testDatabase() }
const runs = 120

let simulator = createSimulator()
let listening: Listening
const started: AlmanacProcess[] = []
beforeEach(async () => {
  simulator = createSimulator({ models: [model], latency: { firstByteMs: 1_500, jitter: 0.5 } })
  listening = await simulator.listen()
})
afterEach(async () => {
  for (const one of started.splice(0)) {
    one.child.kill('SIGCONT')
    await one.stop()
    removeDataDir(one.dataDir)
  }
  await listening.close()
})
afterAll(() => redis?.stop())

async function start(env: Record<string, string>): Promise<AlmanacProcess> {
  const one = await startAlmanac(newDataDir(), { env })
  started.push(one)
  return one
}

for (const queue of ['redis', 'postgres'] as const)
  describe.skipIf(queue === 'redis' && !redis)(`a frozen worker, the queue in ${queue}`, () => {
    it('is taken over, and neither records nor repeats', { timeout: 400_000 }, async () => {
      const test = databases[queue]
      const redisUrl = queue === 'redis' ? redis?.url : undefined
      const env = environmentOf({ databaseUrl: test.url, redisUrl, baseUrl: listening.baseUrl })
      const frozen = await start(env)
      const other = await start(env)
      const system = { test, simulator, env, processes: [other] }
      await askForRuns(other, env, runs)

      const workerId = await workerOf(system, frozen.pid)
      await until(async () => (await openCalls(system, workerId)) >= 8 || undefined)
      frozen.child.kill('SIGSTOP')
      await untilSucceeded(system, runs + 1)
      const left = await openCalls(system, workerId)
      frozen.child.kill('SIGCONT')
      const gone = await until(() => frozen.child.exitCode ?? undefined)
      expect({ left, gone }).toEqual({ left: 0, gone: 1 })
      expect(frozen.stderr()).toContain('lease')

      const said = await expectNothingLost(system, runs + 1)
      await simulator.log.idle()
      const sends = await storedSends(system)
      const again = sends.filter(({ seq }) => seq > 1)
      expect(again.length).toBeGreaterThan(0)
      expect(said).toContain(`${again.length} sent again after a lost answer`)

      // Paid twice is only what the frozen worker had sent and nobody heard the answer of.
      expect(again.filter(({ seq, worker_id }) => seq > 2 || worker_id === workerId)).toEqual([])
      const lost = sends.filter(
        ({ seq, run_id, call_key }) =>
          seq === 1 && again.some((one) => one.run_id === run_id && one.call_key === call_key),
      )
      expect(new Set(lost.map(({ worker_id }) => worker_id))).toEqual(new Set([workerId]))
      // Given up by the sweep, or by the other worker when the queue brought it the job first.
      const givenUp = new Set<string | null>(['worker died', 'attempt ended'])
      expect(lost.filter(({ reason }) => !givenUp.has(reason))).toEqual([])
      const twice = simulator.log
        .paidTwice((entry) => requestHashOf(simulator, entry))
        .map((entries) => ({ hash: requestHashOf(simulator, entries[0]!), times: entries.length }))
      const allowed = new Set(again.map((send) => send.request_hash))
      expect(twice.filter(({ hash, times }) => times > 2 || !allowed.has(hash))).toEqual([])
    })
  })

async function openCalls({ test }: PaidSystem, workerId: string): Promise<number> {
  const [row] = await test.superuser<{ open: number }>(
    `select count(*)::integer as open from engine_calls where state = 'open' and worker_id = $1`,
    [workerId],
  )
  return row?.open ?? 0
}
