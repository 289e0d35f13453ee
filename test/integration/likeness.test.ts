import { plainCodec, verify } from '@almanac/db'
import { changeReport, type ReportSpecification, type RunId, type StageName } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import { createOpenAiEmbedder, openAiEmbeddingPrices } from '@almanac/llm/openai'
import type { Engine } from '@almanac/pipeline'
import { createSimulator, type FaultRuleInput } from '@almanac/simulator'
import type { RunningWorker } from '@almanac/worker'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { noPlugins } from '../../apps/cli/src/system/plugins.ts'
import { createPluggedKinds, createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { chained } from '../support/chained.ts'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testDatabase, testTenant } from '../support/postgres.ts'
import { startQuietWorker, untilEnded } from '../support/quiet-worker.ts'
import { samplePeriod } from '../support/sample.ts'

/**
 * How alike the documents of two periods are, over everything that is real: Postgres, the worker with its
 * loops, and an embedding model on the simulator's wire; the documents are made offline.
 */

const { db, url, superuser } = await testDatabase()
const simulator = createSimulator({ seed: 'likeness' })
const model = 'text-embedding-3-small'
const engine = createDeterministicEngine()

let embedder: Engine
let worker: RunningWorker
let ports: ReturnType<typeof createRunnerPorts>
/** Looks at each stage's commit before it is made; what it throws keeps the commit from being made. */
let beforeCommit: (stage: StageName) => void = () => undefined
let close: () => Promise<void>
beforeAll(async () => {
  const { baseUrl, close: stop } = await simulator.listen()
  embedder = createOpenAiEmbedder(
    { now: new Date() },
    { model, apiKey: 'sk-simulated', baseUrl, prices: openAiEmbeddingPrices },
  )
  const made = createRunnerPorts({ db, codec: plainCodec }, engine, {}, noPlugins, { embedder })
  ports = {
    ...made,
    commitStage: async (commit) => {
      beforeCommit(commit.stage)
      return made.commitStage(commit)
    },
  }
  const running = await startQuietWorker({ url, db, ports })
  worker = running.worker
  close = async () => {
    await running.close()
    await stop()
  }
})
beforeEach(() => {
  simulator.control.removeFaults()
  simulator.log.clear()
})
afterAll(() => close())

const before = '2026-W39'
const line = z.looseObject({ id: z.string(), publishedAt: z.string(), title: z.string() })

/** The sample, and in the week before it every second of its items under another name. */
const evidence = (): string[] =>
  sampleLines().flatMap((text, i) => {
    if (i % 2 === 1) return [text]
    const item = line.parse(JSON.parse(text))
    const publishedAt = new Date(Date.parse(item.publishedAt) - 7 * 86_400_000).toISOString()
    const earlier = { ...item, id: `${item.id}-before`, publishedAt, title: `Draft: ${item.title}` }
    return [text, JSON.stringify(earlier)]
  })

interface CallRow {
  call_key: string
  cause: string
  stage: string
  model: string
  state: string
  hold_micro_usd: number
  hold_tokens: number
  cost_micro_usd: number | null
}

/** A report of each of two weeks, one after the other, with what is stored of the second. */
async function runTwo(over: Partial<ReportSpecification> = {}) {
  const tenant = await testTenant(db, { specification: over })
  await importLines(db, ports.content, tenant, evidence())
  const ids: RunId[] = []
  for (const period of [before, samplePeriod]) {
    const runId = await queueRun(db, tenant, { period })
    worker.wake()
    expect(await untilEnded(superuser, runId)).toMatchObject({
      state: 'succeeded',
      error_code: null,
    })
    ids.push(runId)
  }
  const calls = await superuser<CallRow>(
    `select call_key, cause, stage, model, state, hold_micro_usd::int, hold_tokens::int,
        cost_micro_usd::int
      from engine_calls where run_id = any($1) and cause = 'embed' order by opened_at`,
    [ids],
  )
  const [, runId] = ids
  const [document] = await superuser<{ sha256: string }>(
    `select sha256 from artifacts where run_id = $1 and format = 'json'`,
    [runId],
  )
  const text = await ports.content.get(tenant.tenantId, document?.sha256 ?? '')
  const { changes } = z.object({ changes: changeReport }).parse(JSON.parse(text))
  const [money] = await superuser<{ held: number; spent: number }>(
    `select held_micro_usd::int as held, spent_micro_usd::int as spent from budgets
      where level = 'root' and subject = $1`,
    [runId],
  )
  return { tenant, calls, changes, likeness: changes.likeness, money }
}

const byWords = { method: 'tfidf', model: null } as const

describe('a report with one before it', () => {
  it('is compared by one call that is held, sent and settled like any other', async () => {
    const { calls, changes, likeness, money } = await runTwo()
    expect(changes.comparison).toBe('compared')
    expect(changes.new.length).toBeGreaterThan(0)
    expect(likeness).toMatchObject({ method: 'embedding', model, note: null })
    expect(likeness?.value).toBeGreaterThan(0.1)
    expect(likeness?.value).toBeLessThan(1)
    const [call, ...more] = calls
    expect(more).toEqual([])
    expect(call).toMatchObject({
      ...{ call_key: 'embed:1:likeness', cause: 'embed', stage: 'export' },
      ...{ model, state: 'settled' },
    })
    const [sent, ...again] = simulator.log.entries()
    expect(again).toEqual([])
    const tokens = sent?.billed?.inputTokens ?? 0
    expect(tokens).toBeGreaterThan(100)
    // $0.02 a million tokens, rounded up once.
    expect(call?.cost_micro_usd).toBe(Math.ceil((tokens * 20_000) / 1_000_000))
    expect(call?.cost_micro_usd).toBeLessThanOrEqual(call?.hold_micro_usd ?? 0)
    expect(money).toEqual({ held: 0, spent: call?.cost_micro_usd })
  }, 60_000)

  it('is asked about once, though its stage fails between the answer and the commit', async () => {
    let failures = 0
    beforeCommit = (stage) => {
      if (stage !== 'export' || simulator.log.entries().length === 0 || failures > 0) return
      failures += 1
      throw new Error('a test')
    }
    try {
      const { calls, likeness } = await runTwo()
      expect(failures).toBe(1)
      expect(likeness).toMatchObject({ method: 'embedding', model, note: null })
      expect(calls.map(({ call_key, state }) => [call_key, state])).toEqual([
        ['embed:1:likeness', 'settled'],
      ])
      expect(simulator.log.entries()).toHaveLength(1)
    } finally {
      beforeCommit = () => undefined
    }
  }, 60_000)

  const faults: [string, FaultRuleInput['fault'], RegExp][] = [
    ['fails', 'server_500', /lost|unknown/],
    ['breaks off', 'reset_before_first_byte', /lost|unknown/],
    ['has no room', { name: 'rate_429', retryAfterSeconds: 30 }, /no room/],
    ['is not there', 'model_404', /404/],
    ['is not paid', 'billing_429', /spending or the provider is stopped/],
  ]
  it.each(faults)(
    'whose embedding model %s is compared by its words, and says why',
    async (_, fault, why) => {
      simulator.control.addFaults({ match: { path: '/v1/embeddings' }, fault, times: null })
      const { likeness, calls, money } = await runTwo()
      expect(likeness).toMatchObject(byWords)
      expect(likeness?.note).toMatch(why)
      expect(likeness?.value).toBeGreaterThan(0.1)
      expect(calls.filter(({ state }) => state === 'open')).toEqual([])
      // What may have been billed stays held; everything else is over.
      const lost = calls.filter(({ state }) => state === 'unknown')
      expect(money?.held ?? 0).toBe(lost.reduce((sum, { hold_micro_usd: held }) => sum + held, 0))
      await superuser(`delete from provider_circuits`)
    },
    60_000,
  )

  it('whose budget has no room for it is compared by its words, and spends nothing', async () => {
    const { likeness, calls } = await runTwo({ budget: { microUsd: 1_000, tokens: 50 } })
    expect(likeness).toMatchObject(byWords)
    expect(likeness?.note).toMatch(/root.*tokens/)
    expect(calls).toEqual([])
    expect(simulator.log.entries()).toEqual([])
  }, 60_000)

  it('is asked for nothing where it says what the one before said', async () => {
    const tenant = await testTenant(db)
    const ids: RunId[] = []
    for (const period of ['2026-W37', '2026-W38']) {
      ids.push(await queueRun(db, tenant, { period }))
      worker.wake()
      expect(await untilEnded(superuser, ids.at(-1) as RunId)).toMatchObject({ state: 'succeeded' })
    }
    const [quiet] = await superuser<{ sha256: string }>(
      `select sha256 from artifacts where run_id = $1 and format = 'json'`,
      [ids[1]],
    )
    const text = await ports.content.get(tenant.tenantId, quiet?.sha256 ?? '')
    const { changes } = z.object({ changes: changeReport }).parse(JSON.parse(text))
    expect(changes).toMatchObject({ comparison: 'compared', likeness: { value: 1, ...byWords } })
    expect(simulator.log.entries()).toEqual([])
  }, 60_000)
})

describe('verify', () => {
  it('makes every request again, and finds all rows as they should be', async () => {
    await chained(db)
    const report = await verify(db, {
      codec: plainCodec,
      rebuild: rebuildWith([engine, embedder], createPluggedKinds(noPlugins)),
    })
    expect(report.checks.flatMap(({ problems }) => problems)).toEqual([])
    const requests = report.checks.find(({ unit }) => unit === 'engine calls')
    expect(requests?.notes).toEqual([])
    const [stored] = await superuser<{ embedded: number }>(
      `select count(*) filter (where cause = 'embed')::int as embedded from engine_calls`,
    )
    expect(stored?.embedded).toBeGreaterThan(4)
  })
})
