import { plainCodec, verify } from '@almanac/db'
import { sentBody } from '@almanac/llm/openai'
import { createQueueBackend, migrateQueue, type QueueBackend } from '@almanac/queue'
import { createSimulator, type Listening } from '@almanac/simulator'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { testDatabase } from '../support/postgres.ts'
import { findRedis } from '../support/redis.ts'
import { kinds } from '../support/sample.ts'
import { expectAuditHolds } from './audit-of.ts'
import { chargeLostAnswers, judgeMoney, judgeRoot } from './judge-root.ts'
import { startRefinedWorld, type RefinedWorld } from './refined-world.ts'
import { rootFacts } from './root-facts.ts'
import { variantFaultTable, type VariantRow } from './variant-fault-table.ts'
import { model, requestsOf } from './watched-engine.ts'

/** The variants' fault table through a real worker on each queue; then what all of it left behind. */
const redis = await findRedis('the faults of variants over Redis')
const databases = { redis: await testDatabase(), postgres: await testDatabase() }
afterAll(() => redis?.stop())

for (const name of ['redis', 'postgres'] as const)
  describe.skipIf(name === 'redis' && !redis)(`variants over the queue in ${name}`, () => {
    const test = databases[name]
    const simulator = createSimulator({ models: [model], cachedInputShare: 0.4 })
    let listening: Listening
    let backend: QueueBackend
    let world: RefinedWorld
    beforeAll(async () => {
      listening = await simulator.listen()
      if (name === 'postgres') await migrateQueue({ databaseUrl: test.url })
      backend = await createQueueBackend({
        databaseUrl: test.url,
        ...(name === 'redis'
          ? { redisUrl: redis?.url, prefix: `refined-${randomBytes(4).toString('hex')}` }
          : {}),
        onError: (error) => {
          throw error
        },
      })
      const parts = { test, backend, simulator, baseUrl: listening.baseUrl }
      world = await startRefinedWorld(parts, variantFaultTable)
    })
    afterAll(async () => {
      await world.close()
      await backend.clear()
      await backend.close()
      await listening.close()
    })

    const requestsFor = (row: VariantRow) => requestsOf(simulator, world.rootOf(row))

    it.each(variantFaultTable)('$name', async (row) => {
      const { runId } = world.rootOf(row)
      const facts = await judgeRoot(test, runId, () => requestsFor(row))
      const { stopReason, variants, versions, made, sends, budget } = facts
      const generations = [...Map.groupBy(variants, ({ generation }) => generation).values()]
      const sent = Map.groupBy(sends, ({ key }) => key)
      const sendsOf = Object.fromEntries(
        [...sent].map(([key, ofKey]) => [key, ofKey.map(({ state }) => state)]),
      )
      expect({
        stop: stopReason,
        variants: generations.map((all) => all.map(({ state, code }) => code ?? state)),
        sends: sendsOf,
        best: versions.find(({ id }) => id === made)?.depth,
        overrun: (budget?.overrun ?? 0) > 0,
      }).toEqual({
        stop: row.stop,
        variants: row.variants,
        sends: { ...settledOnce(row), ...row.sends },
        best: row.best,
        overrun: row.overrun === true,
      })
      expect((await requestsFor(row)).length).toBe(sends.length)
    })

    it('leaves rows from which every request is made again, and breaks no promise', async () => {
      const rebuilt: string[] = []
      const rebuild = rebuildWith(world.engines, kinds)
      const report = await verify(test.db, {
        codec: plainCodec,
        rebuild: (call) => {
          const body = rebuild(call)
          if (body !== undefined) rebuilt.push(sentBody(body, 'standard'))
          return body
        },
      })
      expect(report.checks.flatMap(({ problems }) => problems)).toEqual([])
      const received = simulator.log
        .entries()
        .map((entry) => simulator.log.bodyOf(entry)?.toString('utf8') ?? 'not kept')
      expect(rebuilt.toSorted()).toEqual(received.toSorted())
      expect(simulator.log.paidTwice()).toEqual([])
    })

    it('charges what was held for lost answers after their time, and holds nothing then', async () => {
      await chargeLostAnswers(test)
      let charged = 0
      for (const row of variantFaultTable) {
        const facts = await rootFacts(test, world.rootOf(row).runId)
        judgeMoney(facts, await requestsFor(row))
        expect(facts.budget?.held).toBe(0)
        charged += facts.sends.filter(({ state }) => state === 'charged').length
      }
      const lost = variantFaultTable.flatMap(({ sends }) => Object.values(sends).flat())
      expect(charged).toBe(lost.filter((state) => state === 'unknown').length)
      const rebuild = rebuildWith(world.engines, kinds)
      const report = await verify(test.db, { codec: plainCodec, rebuild })
      expect(report.checks.flatMap(({ problems }) => problems)).toEqual([])
    })

    it('proves every root from an export of the audit, and none when a byte of it is another', () =>
      expectAuditHolds(test, variantFaultTable.length))
  })

/** The sends of a row where nothing goes wrong: the draft, and each variant once. */
const settledOnce = ({ variants }: VariantRow) =>
  Object.fromEntries([
    ['draft:1', ['settled']],
    ...variants.flatMap((all, g) => all.map((_, i) => [`variant:${g + 1}:${i + 1}`, ['settled']])),
  ]) as Record<string, readonly string[]>
