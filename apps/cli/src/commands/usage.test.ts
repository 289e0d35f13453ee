import { createApi, startApi } from '@almanac/api'
import { createClient } from '@almanac/client'
import { createPorts } from '@almanac/db'
import { isAlmanacError } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { createLogger, readConfig } from '@almanac/runtime'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { queueRun, testDatabase, testTenant } from '../../../../test/support/postgres.ts'
import { createProgram } from '../program.ts'
import type { Screen } from '../screen.ts'
import { estimateSpecification } from './estimate.ts'
import { recordingScreen } from '../testing/recording-screen.ts'
import { reconcileUsage, showUsage, showWaste, type UsageOptions } from './usage.ts'

const { db, url, superuser } = await testDatabase()
const folder = mkdtempSync(join(tmpdir(), 'almanac-usage-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  process.exitCode = undefined
})

const tenant = await testTenant(db, { name: 'Usage tenant' })
const other = await testTenant(db, { name: 'Other tenant' })
const config = readConfig({ DATABASE_URL: url, ALMANAC_LOG_LEVEL: 'silent' })
const log = createLogger(config, 'stderr')
const api = createApi({ db, content: createPorts(db).content, log, wake: () => undefined })
const running = await startApi(api, { host: '127.0.0.1', port: 0 })
afterAll(() => running.close())
const client = createClient({ url: running.url, key: tenant.key })
const sources = { config, client: () => client }

const runId = await queueRun(db, tenant, { test: true })
const otherRun = await queueRun(db, other, { test: true })
/** A call as the ledger leaves it. */
const call = (over: Record<string, unknown>) =>
  superuser(
    `insert into engine_calls select (jsonb_populate_record(null::engine_calls, $1::jsonb)).*`,
    [
      JSON.stringify({
        ...{ tenant_id: tenant.tenantId, run_id: runId, specification_id: tenant.specificationId },
        ...{ seq: 1, stage: 'execute', cause: 'draft', epoch: 1, worker_id: newId('worker') },
        ...{ state: 'settled', provider: 'openai', model: 'gpt-5', call: '{}', package_hash: 'p' },
        ...{ request_hash: newId('run'), call_key: newId('run'), hold_micro_usd: 5_000 },
        ...{ hold_tokens: 100, hold_day: '2026-02-01', hold_month: '2026-02-01', input_tokens: 60 },
        ...{ outcome: 'completed', output_hash: 'o', cost_micro_usd: 1_000, output_tokens: 10 },
        ...{ cached_input_tokens: 0, opened_at: '2026-02-01T10:00:00Z' },
        ...over,
      }),
    ],
  )
await call({})
await call({ cost_micro_usd: 500, hold_day: '2026-02-02', served_model: 'gpt-5-2026-01-01' })
await call({ state: 'charged', cost_micro_usd: 5_000, input_tokens: null, output_tokens: null })
await call({
  state: 'unknown',
  unknown_at: '2026-02-01',
  cost_micro_usd: null,
  call_key: 'draft:9',
})
const foreign = { tenant_id: other.tenantId, specification_id: other.specificationId }
await call({ ...foreign, run_id: otherRun, cost_micro_usd: 9 })

async function told<T>(work: (screen: Screen) => Promise<T>) {
  const screen = recordingScreen()
  await work(screen)
  const { said, results } = screen
  return { text: said.join('\n'), result: z.record(z.string(), z.unknown()).parse(results[0]) }
}
const days = { from: '2026-02-01', to: '2026-02-28' }

describe('almanac usage', () => {
  it.each<[string, UsageOptions]>([
    ['with a key, of its tenant', {}],
    ['with --tenant, from the database', { tenant: 'Usage tenant' }],
  ])('%s', async (_, whose) => {
    const { text, result } = await told((screen) =>
      showUsage(screen, sources, { ...days, ...whose, by: 'day,model' }),
    )
    expect(text).toContain('2026-02-01 to 2026-02-28: $0.006500 for 3 calls.')
    expect(result).toMatchObject({
      data: [
        { day: '2026-02-01', model: 'gpt-5', calls: 2, chargedCalls: 1, costMicroUsd: 6_000 },
        { day: '2026-02-02', model: 'gpt-5-2026-01-01', calls: 1, costMicroUsd: 500 },
      ],
    })
  })

  it('with --all-tenants, and as CSV', async () => {
    const { text } = await told((screen) =>
      showUsage(screen, sources, { ...days, allTenants: true, by: 'month', csv: true }),
    )
    const lines = text.split('\n')
    expect(lines[0]).toMatch(/^tenant_id,month,calls,/)
    expect(lines).toContainEqual(
      expect.stringMatching(`^${other.tenantId},2026-02,1,0,0,9,0.000009`),
    )
    expect(lines).toHaveLength(3)
  })

  it('is what the program calls without a further word', async () => {
    const written: string[] = []
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text))
      return true
    })
    vi.stubEnv('DATABASE_URL', url)
    try {
      const words = ['usage', '--all-tenants', '--from', days.from, '--to', days.to, '--json']
      await createProgram().parseAsync(words, { from: 'user' })
    } finally {
      spy.mockRestore()
      vi.unstubAllEnvs()
    }
    expect(JSON.parse(written.join(''))).toMatchObject({ total: { costMicroUsd: 6_509 } })
  })

  it('refuses what it cannot do, with the reason', async () => {
    const wrong = [
      { by: 'weather' },
      { from: 'May' },
      { from: '2026-03-01', to: '2026-02-01' },
      { tenant: 'Usage tenant', allTenants: true },
      { tenant: 'Usage tenant', spec: 'x' },
    ]
    for (const options of wrong)
      await expect(told((screen) => showUsage(screen, sources, options))).rejects.toSatisfy(
        (error) => isAlmanacError(error, 'INPUT_INVALID'),
      )
  })

  it('shows waste, the same with a key and from the database', async () => {
    const own = await told((screen) => showWaste(screen, sources, days))
    const operators = await told((screen) =>
      showWaste(screen, sources, { ...days, tenant: tenant.tenantId }),
    )
    expect(own).toEqual(operators)
    expect(own.text).toMatch(/unknown +1 +\$0\.005000 +76\.9 %/)
  })
})

describe('almanac usage reconcile', () => {
  const reconcile = (rows: string[], options: { threshold?: string } = {}) => {
    const file = join(folder, 'bill.csv')
    writeFileSync(file, ['date,model,input_tokens,output_tokens,cost_usd', ...rows].join('\n'))
    return told((screen) =>
      reconcileUsage(screen, config, file, { provider: 'openai', ...options }),
    )
  }

  it('ends with 1 over the threshold, and names what may explain it', async () => {
    const { text, result } = await reconcile([
      '2026-02-01,gpt-5,120,20,0.001009',
      '2026-02-02,gpt-5,60,10,0.0005',
    ])
    expect(process.exitCode).toBe(1)
    expect(result).toMatchObject({
      over: true,
      lines: [
        { day: '2026-02-01', difference: { costMicroUsd: -5_000, inputTokens: 0 }, over: true },
        { day: '2026-02-02', difference: { costMicroUsd: 0 }, over: false },
      ],
      total: { difference: { costMicroUsd: -5_000 } },
    })
    expect(text).toMatch(/2026-02-01 +gpt-5 +0\.006009 +0\.001009 +-0\.005000 +83\.2 %/)
    expect(text).toContain(`${runId} draft:9 (send 1)`)
    expect(text).toContain('charged in full: the provider may have billed less')
    expect(text).toContain('not among our costs: the provider may have billed up to this')
  })

  it('ends well within it', async () => {
    const { text } = await reconcile(
      ['2026-02-01,gpt-5,120,20,0.006000', '2026-02-02,gpt-5,60,10,0.000505'],
      { threshold: '1.5' },
    )
    expect(process.exitCode).toBeUndefined()
    expect(text).toContain('No difference is above 1.5 %')
    expect(text).toContain('+0.000005')
  })

  it('refuses a file that is none, and a threshold that is none', async () => {
    const refused = (error: unknown) => isAlmanacError(error, 'INPUT_INVALID')
    await expect(reconcile(['2026-02-01,gpt-5,1,2,-3'])).rejects.toSatisfy(refused)
    await expect(reconcile(['2026-02-01,gpt-5,1,2,3'], { threshold: 'much' })).rejects.toSatisfy(
      refused,
    )
  })
})

describe('almanac estimate', () => {
  it('says what a run would cost, on what that rests, and whether there is room', async () => {
    await superuser(
      `insert into budget_limits (tenant_id, level, subject, limit_micro_usd, set_by)
        values ($1::text, 'tenant_day', $1::text, 7, 'test')`,
      [tenant.tenantId],
    )
    const { text, result } = await told((screen) =>
      estimateSpecification(client, screen, tenant.body.name, {}),
    )
    expect(result).toMatchObject({ basis: 'run_budget', fits: 'no' })
    expect(text).toContain('This rests on nothing but the budget of a run')
    expect(text).toMatch(/tenant\/day: \d+ micro-USD are needed, 7 are left/)
  })
})
