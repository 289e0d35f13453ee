import { plainCodec, proveRoot, verify } from '@almanac/db'
import {
  evaluation as evaluationSchema,
  type ReportSpecification,
  type SpecificationRefinement,
} from '@almanac/domain'
import { createOpenAiEngine, openAiPrices } from '@almanac/llm/openai'
import type { Engine } from '@almanac/pipeline'
import { createSimulator } from '@almanac/simulator'
import type { RunningWorker } from '@almanac/worker'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rebuildWith } from '../../apps/cli/src/commands/verify.ts'
import { loadPlugins, type Plugins } from '../../apps/cli/src/system/plugins.ts'
import { createPluggedKinds, createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { almanac } from '../support/almanac-process.ts'
import { chained } from '../support/chained.ts'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testDatabase, testTenant } from '../support/postgres.ts'
import { startQuietWorker, untilEnded } from '../support/quiet-worker.ts'
import { samplePeriod } from '../support/sample.ts'

/**
 * Plugins over everything that is real: Postgres, the worker with its loops, the openai engine on the
 * simulator's wire for drafts and for the judge, and the plugins in their threads.
 */

const { db, url, superuser, tamper } = await testDatabase()
const simulator = createSimulator({ seed: 'judge' })
const folder = mkdtempSync(join(tmpdir(), 'almanac-judge-'))
const fit = join(import.meta.dirname, '../../examples/plugin-judge/plugin.ts')
const once = join(folder, 'once.mjs')
writeFileSync(
  once,
  `export default { name: 'once', apiVersion: 1, hooks: { terminations: [{ name: 'once',
    stops: ({ lineage }) => lineage.depth > 0 ? 'one generation is enough' : null }] } }`,
)
const models = { draft: 'gpt-5.4-mini', judge: 'gpt-5.4-nano' }

let plugins: Plugins
let engines: Engine[]
let baseUrl: string
let close: () => Promise<void>
let worker: RunningWorker
let ports: ReturnType<typeof createRunnerPorts>
beforeAll(async () => {
  const quiet = { info: () => undefined, warn: () => undefined } as never
  plugins = await loadPlugins({ plugins: { modules: [fit, once], environment: {} } }, quiet)
  const listening = await simulator.listen()
  ;({ baseUrl } = listening)
  const engineOf = (model: string) =>
    createOpenAiEngine(
      { now: new Date() },
      { api: 'responses', model, apiKey: 'sk-simulated', prices: openAiPrices, baseUrl },
    )
  const draft = engineOf(models.draft)
  const judge = engineOf(models.judge)
  engines = [draft, judge]
  const { checklists } = plugins
  ports = createRunnerPorts({ db, codec: plainCodec }, draft, {}, plugins, {
    judge: { engine: judge, checklists },
  })
  const running = await startQuietWorker({ url, db, ports })
  worker = running.worker
  close = async () => {
    await running.close()
    await listening.close()
    await plugins.close()
    rmSync(folder, { recursive: true })
  }
})
beforeEach(() => {
  simulator.control.removeFaults()
  simulator.log.clear()
})
afterAll(() => close())

/** Room for a call whose answer was lost. */
const budget = { microUsd: 5_000_000, tokens: 1_000_000 }

interface CallRow {
  call_key: string
  stage: string
  model: string
  state: string
  hold_micro_usd: number
  hold_tokens: number
  cost_micro_usd: number | null
}

/** A run of the sample to its end, with what is stored of it. */
async function run(over: Partial<ReportSpecification> = {}) {
  const tenant = await testTenant(db, { specification: { budget, ...over } })
  await importLines(db, ports.content, tenant, sampleLines())
  const runId = await queueRun(db, tenant, { period: samplePeriod })
  worker.wake()
  const end = await untilEnded(superuser, runId)
  const [stored] = await superuser<{ output: string }>(
    `select output from stage_outputs where run_id = $1 and stage = 'evaluate'`,
    [runId],
  )
  const evaluation = evaluationSchema.parse(JSON.parse(stored?.output ?? 'null'))
  const calls = await superuser<CallRow>(
    `select call_key, stage, model, state, hold_micro_usd::int, hold_tokens::int, cost_micro_usd::int
      from engine_calls where run_id = $1 order by opened_at, call_key`,
    [runId],
  )
  const [money] = await superuser<{ held: number; spent: number }>(
    `select held_micro_usd::int as held, spent_micro_usd::int as spent from budgets
      where level = 'root' and subject = $1`,
    [runId],
  )
  const metric = evaluation.metrics.find(({ name }) => name === 'fit/report-fit')
  return { tenant, runId, end, evaluation, metric, calls, money }
}

const judgeCalls = (calls: readonly CallRow[]) =>
  calls.filter(({ call_key }) => call_key.startsWith('judge:'))

describe('a report that is judged', () => {
  it('has both calls held, sent and settled inside its budget, and its checks in its score', async () => {
    const { end, evaluation, metric, calls, money, tenant, runId } = await run()
    expect(end).toMatchObject({ state: 'succeeded', error_code: null, score: evaluation.score })
    expect(judgeCalls(calls)).toMatchObject(
      [1, 2].map((n) => ({
        ...{ call_key: `judge:${n}:fit/report-fit`, stage: 'evaluate' },
        ...{ model: models.judge, state: 'settled' },
      })),
    )
    const cost = (of: readonly CallRow[]) =>
      of.reduce((sum, { cost_micro_usd: one }) => sum + (one ?? 0), 0)
    expect(cost(judgeCalls(calls))).toBeGreaterThan(0)
    expect(money).toEqual({ held: 0, spent: cost(calls) })
    for (const { hold_micro_usd: held, cost_micro_usd: spent } of calls)
      expect(spent).toBeLessThanOrEqual(held)

    expect(metric?.weight).toBe(0.2)
    expect(metric?.reasons).toHaveLength(6)
    expect(metric?.reasons.every((line) => /^(yes|no): .+\? – .+\.$/.test(line))).toBe(true)
    const yes = metric?.reasons.filter((line) => line.startsWith('yes')).length ?? 0
    expect(metric?.value).toBeCloseTo(yes / (metric?.reasons.length ?? 1), 4)
    const sum = (of: (one: (typeof evaluation.metrics)[number]) => number) =>
      evaluation.metrics.reduce((all, one) => all + of(one), 0)
    expect(sum(({ weight }) => weight)).toBeCloseTo(1, 9)
    expect(evaluation.score).toBeCloseTo(
      sum(({ weight, value }) => weight * value),
      4,
    )

    const [document] = await superuser<{ sha256: string }>(
      `select sha256 from artifacts where run_id = $1 and format = 'json'`,
      [runId],
    )
    const text = await ports.content.get(tenant.tenantId, document?.sha256 ?? '')
    expect(text).toContain('fit/report-fit')
    expect(simulator.log.paidTwice()).toEqual([])
  }, 60_000)

  it('that was refined has its best version judged, and no other', async () => {
    const refinement: SpecificationRefinement = {
      enabled: true,
      ...{ maxDepth: 10, maxChildren: 100, checkpointRatio: 0.8, decay: 0, variants: 3 },
      checkpointExpiryMinutes: 60,
      termination: [
        { type: 'depth_reached', depth: 9 },
        { type: 'plugin', name: 'once' },
      ],
    }
    simulator.control.addFaults({
      match: { keyContains: 'draft' },
      fault: { name: 'items_left_out', keep: 1 },
    })
    const { end, evaluation, metric, calls, runId, tenant } = await run({ refinement })
    expect(end).toMatchObject({ state: 'succeeded', score: evaluation.score })
    expect(metric?.weight).toBe(0.2)
    expect(judgeCalls(calls)).toHaveLength(2)
    expect(calls.filter(({ call_key: key }) => key.startsWith('variant'))).toHaveLength(3)
    const [version] = await superuser<{ score: number; evaluation: string }>(
      `select v.score, v.evaluation from artifacts a join versions v on v.tenant_id = a.tenant_id
        and v.id = a.version_id where a.run_id = $1 limit 1`,
      [runId],
    )
    // Versions are compared without the judge; what goes out has it.
    expect(version?.evaluation).not.toContain('fit/report-fit')
    const judged = 0.8 * (version?.score ?? 0) + 0.2 * (metric?.value ?? 0)
    expect(evaluation.score).toBeCloseTo(judged, 3)

    await chained(db)
    const proof = await db.withTenant(tenant.tenantId, (trx) =>
      proveRoot(trx, tenant.tenantId, runId),
    )
    expect(proof).toMatchObject({ holds: true, problems: [], ended: 'plugin', generations: 1 })
    const acts = await superuser<{ action: string; detail: string }>(
      `select action, detail from audit_events where subject = $1 and action in
        ('refinement.granted', 'refinement.ended') order by id`,
      [runId],
    )
    const verdicts = acts.map(
      ({ detail }) => z.looseObject({}).parse(JSON.parse(detail))['verdicts'],
    )
    expect(verdicts).toEqual([
      [{ name: 'once', generation: 0, because: null }],
      [{ name: 'once', generation: 1, because: 'one generation is enough' }],
    ])
  }, 60_000)

  it.each([
    ['refuses', 1, { name: 'refused' }, 'refused'],
    ['refuses in the other order', 2, { name: 'refused' }, 'refused'],
    ['answers in prose', 2, { name: 'schema_ignored' }, 'does not answer each check once'],
    ['is cut off', 1, { name: 'truncated', tokens: 5 }, 'did not fit'],
    ['is not there', 1, { name: 'model_404' }, '404'],
    ['has no room', 1, { name: 'rate_429', retryAfterSeconds: 30 }, 'no room'],
    ['breaks off', 2, { name: 'reset_mid_stream' }, 'lost'],
  ] as const)(
    'whose judge %s succeeds without its weight',
    async (_, n, fault, reason) => {
      simulator.control.addFaults({ match: { keyContains: `judge:${n}` }, fault, times: null })
      const { end, metric, evaluation, calls, money } = await run()
      expect(end).toMatchObject({ state: 'succeeded', score: evaluation.score })
      expect(metric).toMatchObject({ value: 0, weight: 0 })
      expect(metric?.reasons).toEqual([
        expect.stringMatching(new RegExp(`^not judged: .*${reason}`)),
      ])
      expect(judgeCalls(calls)).toHaveLength(n)
      const weights = evaluation.metrics.reduce((sum, { weight }) => sum + weight, 0)
      expect(weights).toBeCloseTo(1, 9)
      // What may have been billed stays held; everything else is over.
      const lost = calls.filter(({ state }) => state === 'unknown')
      expect(money?.held).toBe(lost.reduce((sum, { hold_micro_usd: held }) => sum + held, 0))
      expect(calls.filter(({ state }) => state === 'open')).toEqual([])
    },
    60_000,
  )

  it('whose budget has no room for its judge succeeds without it, and spends no more', async () => {
    const [draft] = (await run()).calls
    const tokens = draft?.hold_tokens ?? 0
    const { end, metric, calls } = await run({ budget: { microUsd: 5_000_000, tokens } })
    expect(end.state).toBe('succeeded')
    expect(metric).toMatchObject({ weight: 0 })
    expect(metric?.reasons[0]).toMatch(/^not judged: .*root.*tokens/)
    expect(judgeCalls(calls)).toEqual([])
  }, 60_000)

  it('may use what was kept for repairs: none can follow', async () => {
    const first = await run()
    const [draft] = first.calls
    const [judge] = judgeCalls(first.calls)
    // The draft with the judge's calls, and nothing of the reserve beside them.
    const tokens = (draft?.hold_tokens ?? 0) + 2 * (judge?.hold_tokens ?? 0)
    const { metric, calls } = await run({ budget: { microUsd: 5_000_000, tokens } })
    expect(metric?.weight).toBe(0.2)
    expect(judgeCalls(calls)).toHaveLength(2)
  }, 60_000)
})

describe('verify', () => {
  it('makes every request again, those of the judge too, and finds all rows as they should be', async () => {
    await chained(db)
    const report = await verify(db, {
      codec: plainCodec,
      rebuild: rebuildWith(engines, createPluggedKinds(plugins)),
    })
    expect(report.checks.flatMap(({ problems }) => problems)).toEqual([])
    const requests = report.checks.find(({ unit }) => unit === 'engine calls')
    expect(requests?.notes).toEqual([])
    const [sent] = await superuser<{ judged: number; all: number }>(
      `select count(*) filter (where cause = 'judge')::int as judged, count(*)::int as all
        from engine_calls`,
    )
    expect(sent?.judged).toBeGreaterThan(10)
    expect(requests?.rows).toBe(sent?.all)
  }, 60_000)

  const tablesWithProblems = async () => {
    const rebuild = rebuildWith(engines, createPluggedKinds(plugins))
    const { checks } = await verify(db, { codec: plainCodec, rebuild })
    return [...new Set(checks.flatMap(({ problems }) => problems.map(({ table }) => table)))]
  }

  it('sees that the judge was asked something else', async () => {
    const set = (from: string, to: string) =>
      superuser('update engine_calls set call = replace(call, $1, $2)', [from, to])
    await set('every check', 'any check')
    expect(await tablesWithProblems()).toEqual(['engine_calls'])
    await set('any check', 'every check')
    expect(await tablesWithProblems()).toEqual([])
  }, 60_000)

  it.each([
    ['score', 'score - 0.25', 'score + 0.25'],
    [
      'evaluation',
      `replace(evaluation, '"coverage"', '"coverages"')`,
      `replace(evaluation, '"coverages"', '"coverage"')`,
    ],
  ])(
    'sees that the %s of a refined version was changed',
    async (column, wrong, right) => {
      const set = (value: string) =>
        tamper(`update versions set ${column} = ${value} where id in (select a.version_id
        from artifacts a join refinement_roots r on r.run_id = a.run_id)`)
      await set(wrong)
      expect(await tablesWithProblems()).toEqual(['versions'])
      await set(right)
      expect(await tablesWithProblems()).toEqual([])
    },
    60_000,
  )

  it('is told by the settings who judged', async () => {
    const env = {
      DATABASE_URL: url,
      ALMANAC_ENGINE: 'openai',
      OPENAI_API_KEY: 'sk-simulated',
      OPENAI_BASE_URL: baseUrl,
      LLM_MODEL: models.draft,
      LLM_JUDGE_MODEL: models.judge,
      ALMANAC_PLUGINS: `${fit},${once}`,
    }
    const { code, stdout } = await almanac(['verify'], { env })
    expect(stdout).not.toMatch(/✕|not checked/)
    expect(code).toBe(0)
  }, 60_000)
})
