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
import { faultTable, type FaultRow } from './fault-table.ts'
import { judgeRow } from './judge-row.ts'
import { startQueuedWorld, type QueuedWorld } from './queued-world.ts'
import { microUsdOf, model } from './watched-engine.ts'

/** The fault table through a real worker on each queue; then what all of it left behind. */
const redis = await findRedis('the fault table over Redis')
afterAll(() => redis?.stop())

const rowNamed = (name: string): FaultRow => {
  const row = faultTable.find((one) => one.name === name)
  if (!row) throw new Error(`the fault table has no row "${name}"`)
  return row
}

/** What runs through chat completions too: one row of each way in which an answer can end. */
const throughChat = [
  '429 insufficient_quota',
  '500, once',
  'a reset mid-stream, once',
  'truncated',
  'refused',
  'malformed_json, once',
  'missing usage',
  'usage above the hold',
].map(rowNamed)

const worlds = [
  { name: 'redis', api: 'responses', rows: faultTable, test: await testDatabase() },
  { name: 'postgres', api: 'responses', rows: faultTable, test: await testDatabase() },
  { name: 'postgres', api: 'chat', rows: throughChat, test: await testDatabase() },
] as const

for (const { name, api, rows, test } of worlds)
  describe.skipIf(name === 'redis' && !redis)(`${api} over the queue in ${name}`, () => {
    const cases = rows.map((row, i) => ({
      row,
      apiKey: `sk-simulated-${String(i + 1).padStart(4, '0')}`,
    }))
    const simulator = createSimulator({ models: [model], cachedInputShare: 0.4 })
    let listening: Listening
    let backend: QueueBackend
    let world: QueuedWorld
    beforeAll(async () => {
      listening = await simulator.listen()
      if (name === 'postgres') await migrateQueue({ databaseUrl: test.url })
      backend = await createQueueBackend({
        databaseUrl: test.url,
        ...(name === 'redis'
          ? { redisUrl: redis?.url, prefix: `faults-${randomBytes(4).toString('hex')}` }
          : {}),
        onError: (error) => {
          throw error
        },
      })
      world = await startQueuedWorld(
        { test, backend, simulator, baseUrl: listening.baseUrl },
        cases,
        api,
      )
    })
    afterAll(async () => {
      await world.close()
      await backend.clear()
      await backend.close()
      await listening.close()
    })

    it.each(cases)('$row.name', async (theCase) => {
      const { row } = theCase
      const end = row.afterwards ?? row.end
      judgeRow(row, await world.seen(theCase, end), end)
    })

    it('leaves rows from which every request is made again, byte for byte', async () => {
      const rebuilt: string[] = []
      // Servers that speak chat completions are named no tier.
      const tier = api === 'responses' ? 'standard' : undefined
      const rebuild = rebuildWith(world.engines, kinds)
      const report = await verify(test.db, {
        codec: plainCodec,
        rebuild: (call) => {
          const body = rebuild(call)
          if (body !== undefined) rebuilt.push(sentBody(body, tier))
          return body
        },
      })
      expect(report.checks.flatMap(({ problems }) => problems)).toEqual([])
      const received = simulator.log
        .entries()
        .map((entry) => simulator.log.bodyOf(entry)?.toString('utf8') ?? 'not kept')
      expect(received.length).toBeGreaterThan(cases.length)
      expect(rebuilt.toSorted()).toEqual(received.toSorted())
    })

    it('costs to the micro-USD what the tokens that the provider told cost', async () => {
      const settled = await test.superuser<{ id: string; cost: number }>(
        `select provider_request_id as id, cost_micro_usd::integer as cost from engine_calls
          where state = 'settled' and not estimated`,
      )
      const told = new Map(
        simulator.log.entries().flatMap(({ requestId, told }) => (told ? [[requestId, told]] : [])),
      )
      expect(settled.length).toBeGreaterThan(cases.length / 2)
      expect([...told.values()].some(({ cachedTokens }) => cachedTokens > 0)).toBe(true)
      expect(settled.map(({ id, cost }) => ({ id, cost }))).toEqual(
        settled.map(({ id }) => ({ id, cost: microUsdOf(told.get(id) ?? nothing) })),
      )
    })

    it('counts what went beyond a hold as an overrun, at every level', async () => {
      const [calls] = await test.superuser<{ overrun: string; count: string }>(
        `select sum(cost_micro_usd - hold_micro_usd) as overrun, count(*) from engine_calls
          where cost_micro_usd > hold_micro_usd`,
      )
      const overruns = rows.filter(({ overrun }) => overrun).length
      expect(Number(calls?.count)).toBe(overruns)
      const levels = await test.superuser<{ level: string; overrun: string }>(
        `select level, sum(overrun_micro_usd) as overrun from budgets group by level order by level`,
      )
      expect(levels.map(({ level }) => level)).toHaveLength(4)
      expect(levels.map(({ overrun }) => overrun)).toEqual(levels.map(() => calls?.overrun))
    })
  })

const nothing = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 }
