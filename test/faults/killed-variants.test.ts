import { afterAll, describe, it } from 'vitest'
import { until } from '../support/almanac-process.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import { expectAuditHolds } from './audit-of.ts'
import { chargeLostAnswers, judgeMoney, judgeRoot } from './judge-root.ts'
import { askForReports, expectVerified, requestHashOf, workerOf } from './paid-system.ts'
import { refinement } from './refined-world.ts'
import { openRefiningSystem, openCalls } from './refining-system.ts'
import { rootFacts, type RootFacts } from './root-facts.ts'

/**
 * The process that works on variants is killed while their calls are open and others wait in the queue:
 * the next one makes all of them, each at most once more, and every run ends with its best version.
 */
const redis = await findOwnRedis('a worker killed amid variants, with its queue in Redis')
const databases = { redis: await testDatabase(), postgres: await testDatabase() }
afterAll(() => redis?.stop())

/** More variants than one process makes at once. */
const roots = 6
const atOnce = 16
const twice = { ...refinement, termination: [{ type: 'depth_reached' as const, depth: 2 }] }

describe.concurrent.each(['redis', 'postgres'] as const)('with its queue in %s', (queue) => {
  it.skipIf(queue === 'redis' && !redis)(
    'a worker that is killed loses no variant, and none is paid for a third time',
    { timeout: 120_000 },
    async ({ expect, onTestFinished }) => {
      const test = databases[queue]
      const redisUrl = queue === 'redis' ? redis?.url : undefined
      const system = await openRefiningSystem(test, redisUrl, {
        match: { apiKeyContains: 'dies', keyContains: 'variant' },
        fault: { name: 'hang', billed: true },
        times: null,
      })
      onTestFinished(() => system.close())
      const { simulator } = system
      const dies = await system.start('sk-simulated-dies')
      const runs = await askForReports(dies.client, roots, { name: queue, refinement: twice })
      await until(() => (openCalls(system).length >= atOnce ? true : undefined))
      const workerId = await workerOf(system, dies.pid)
      await dies.kill()
      await system.start('sk-simulated-goes-on')

      const facts: RootFacts[] = []
      for (const { id } of runs)
        facts.push(await judgeRoot(test, id, (seen) => Promise.resolve(system.requestsOf(seen))))
      expect(facts.map(({ stopReason }) => stopReason)).toEqual(facts.map(() => 'depth'))
      expect(facts.flatMap(({ variants }) => variants.map(({ state }) => state))).toEqual(
        Array.from({ length: roots * 6 }, () => 'done'),
      )

      // Sent twice is what the dead worker had sent, and only that; what waited in the queue is sent once.
      await simulator.log.idle()
      const sends = facts.flatMap((one) => one.sends)
      const lost = sends.filter(({ state }) => state !== 'settled')
      expect(lost.map(({ seq, state, workerId: by }) => ({ seq, state, by }))).toEqual(
        Array.from({ length: atOnce }, () => ({ seq: 1, state: 'unknown', by: workerId })),
      )
      // Given up by the sweep, or when the queue brought the job to the other worker first.
      const givenUp = new Set<string | null>(['worker died', 'attempt ended'])
      expect(lost.filter(({ reason }) => !givenUp.has(reason))).toEqual([])
      const deaths = facts.flatMap(({ variants }) => variants.map(({ crashes }) => crashes))
      expect(deaths.filter((crashes) => crashes === 1)).toHaveLength(atOnce)
      expect(deaths.filter((crashes) => crashes > 1)).toEqual([])
      const again = sends.filter(({ seq }) => seq > 1)
      expect(new Set(lost.map(({ key }) => key.split(':')[1]))).toEqual(new Set(['1']))
      expect(again.map(({ seq, key }) => `${seq} ${key}`).toSorted()).toEqual(
        lost.map(({ key }) => `2 ${key}`).toSorted(),
      )
      const paidTwice = simulator.log
        .paidTwice((entry) => requestHashOf(simulator, entry))
        .flatMap((all) => all.map((entry) => requestHashOf(simulator, entry)))
      expect(paidTwice.toSorted()).toEqual(
        lost.flatMap(({ requestHash }) => [requestHash, requestHash]).toSorted(),
      )

      await chargeLostAnswers(test)
      for (const { id } of runs) {
        const charged = await rootFacts(test, id)
        judgeMoney(charged, system.requestsOf(charged))
        expect(charged.budget?.held).toBe(0)
      }
      expect(await expectVerified(system)).toContain(`${atOnce} sent again after a lost answer`)
      await expectAuditHolds(test, roots)
    },
  )
})
