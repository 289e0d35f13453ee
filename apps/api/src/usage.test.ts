import { createPorts } from '@almanac/db'
import { estimateResource, wasteReport } from '@almanac/domain'
import { createOpenAiEngine, openAiPrices } from '@almanac/llm/openai'
import { estimateRun, noJudge } from '@almanac/pipeline'
import { systemClock } from '@almanac/runtime'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant, type TestTenant } from '../../../test/support/postgres.ts'
import {
  industries,
  kinds,
  samplePeriod,
  sampleSpecification,
} from '../../../test/support/sample.ts'
import { importSample } from './testing/import-sample.ts'
import { paidRun } from './testing/paid-run.ts'
import { testApi } from './testing/test-api.ts'

const api = await testApi()
const { call, refused, db, superuser } = api
const engine = createOpenAiEngine(
  { now: new Date('2026-11-21T00:00:00Z') },
  { api: 'responses', model: 'gpt-5-mini', apiKey: 'sk-none', prices: openAiPrices },
)
const ports = {
  ...createPorts(db),
  ...{ industries, kinds, engine, clock: systemClock, judge: noJudge, embedder: null },
}
/** The same tenants, with an engine that knows what packages cost. */
const priced = await testApi({
  db,
  content: ports.content,
  estimateRun: (run, signal) => estimateRun(ports, run, signal),
})

const paid = (tenant: TestTenant, period: string, microUsd: number, day?: string) =>
  paidRun(api, tenant, { period, microUsd, ...(day === undefined ? {} : { day }) })

describe('GET /v1/usage', () => {
  it('sums up by what is asked, failed runs included, within the days', async () => {
    const tenant = await testTenant(db)
    const { key, specificationId, body } = tenant
    await paid(tenant, '2022-W09', 100)
    const failed = await paid(tenant, '2022-W10', 40, '2026-02-28')
    await paid(tenant, '2022-W11', 7, '2026-03-01')
    await superuser(`alter table runs disable trigger runs_transition`, [])
    await superuser(`update runs set state = 'failed' where id = $1`, [failed])
    await superuser(`alter table runs enable trigger runs_transition`, [])
    const days = { from: '2026-02-01', to: '2026-02-28' }
    const { json } = await call('GET', '/v1/usage', {
      key,
      query: { ...days, groupBy: 'month,cause' },
    })
    expect(json).toMatchObject({
      ...days,
      data: [{ month: '2026-02', cause: 'draft', calls: 2, costMicroUsd: 140, tokens: 24 }],
      total: { calls: 2, costMicroUsd: 140 },
      nextCursor: null,
    })
    const own = { ...days, to: '2026-03-01', specificationId }
    expect((await call('GET', '/v1/usage', { key, query: own })).json).toMatchObject({
      data: [{ specificationId, specificationName: body.name, costMicroUsd: 147 }],
    })
    const waste = await call('GET', '/v1/usage/waste', { key, query: days })
    const { kinds: found } = wasteReport.parse(waste.json)
    expect(found.find(({ kind }) => kind === 'failed')).toMatchObject({
      calls: 1,
      costMicroUsd: 40,
      share: 40 / 140,
    })
  })

  it('is CSV where that is asked, with names that no spreadsheet calculates', async () => {
    const name = '=HYPERLINK("x"),y'
    const tenant = await testTenant(db, { specification: { name } })
    const { key, specificationId } = tenant
    await paid(tenant, '2022-W09', 1_234_567)
    const query = { from: '2026-02-01', to: '2026-02-01', groupBy: 'specification,model,day' }
    const csv = await call('GET', '/v1/usage', { key, query: { ...query, format: 'csv' } })
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('cache-control')).toBe('no-store')
    expect(csv.text).toBe(
      'specification_id,specification_name,model,day,calls,charged_calls,estimated_calls,cost_micro_usd,cost_usd,overrun_micro_usd,input_tokens,cached_input_tokens,output_tokens,tokens\r\n' +
        `${specificationId},"'=HYPERLINK(""x""),y",gpt-5-mini,2026-02-01,1,0,0,1234567,1.234567,1234567,123456,0,5,123461\r\n`,
    )
    const accepted = await call('GET', '/v1/usage', { key, query, headers: { accept: 'text/csv' } })
    expect(accepted.text).toBe(csv.text)
    const plain = await call('GET', '/v1/usage', { key, query, headers: { accept: '*/*' } })
    expect(plain.json).toMatchObject({ total: { costMicroUsd: 1_234_567 } })
  })

  it('refuses days that are none, that are out of order, and groups that there are not', async () => {
    const { key } = await testTenant(db)
    for (const query of [
      { from: '2026-02-30' },
      { to: '0000-01-01' },
      { from: '2026-02-02', to: '2026-02-01' },
      { from: '2999-01-01' },
      { groupBy: 'day,tenant' },
      { groupBy: 'day,day' },
      { groupBy: '' },
    ])
      await refused('GET', '/v1/usage', { key, query }, 'INPUT_INVALID')
  })
})

describe('/v1/stop-spend', () => {
  it('stops and resumes the caller’s tenant, and no other', async () => {
    const [mine, other] = [await testTenant(db), await testTenant(db)]
    const { key, principalId } = mine
    const json = { reason: 'it costs too much' }
    const stopped = await call('POST', '/v1/stop-spend', { key, json })
    expect(stopped.json).toMatchObject({ stopped: true, ...json, stoppedBy: principalId })
    await call('POST', '/v1/stop-spend', { key, json: { reason: 'again' } })
    expect((await call('GET', '/v1/stop-spend', { key })).json).toMatchObject(json)
    const isStopped = async ({ tenantId }: TestTenant) =>
      (await superuser<{ no: boolean }>(`select spend_stopped($1, 'openai') as no`, [tenantId]))[0]
        ?.no
    expect([await isStopped(mine), await isStopped(other)]).toEqual([true, false])
    expect((await call('GET', '/v1/stop-spend', { key: other.key })).json).toMatchObject({
      stopped: false,
      reason: null,
    })
    await refused('DELETE', '/v1/stop-spend', { key: other.key }, 'NOT_FOUND')
    const resumed = await call('DELETE', '/v1/stop-spend', { key })
    expect(resumed.json).toMatchObject({ stopped: false, queuedRuns: 0 })
    expect(await isStopped(mine)).toBe(false)
    const audited = await superuser(
      `select action from audit_events where tenant_id = $1 and action like 'spending.%' order by id`,
      [mine.tenantId],
    )
    expect(audited).toEqual([{ action: 'spending.stopped' }, { action: 'spending.resumed' }])
  })

  it('does not lift what an operator has stopped', async () => {
    const { key, tenantId } = await testTenant(db)
    await superuser(
      `insert into spend_stops (scope, subject, reason, stopped_by) values ('tenant', $1, 'x', 'operator')`,
      [tenantId],
    )
    await refused('DELETE', '/v1/stop-spend', { key }, 'NOT_FOUND')
    await call('POST', '/v1/stop-spend', { key, json: { reason: 'mine too' } })
    await call('DELETE', '/v1/stop-spend', { key })
    const [row] = await superuser<{ no: boolean }>(`select spend_stopped($1, 'openai') as no`, [
      tenantId,
    ])
    expect(row?.no).toBe(true)
  })
})

describe('GET /v1/specifications/:id/estimate', () => {
  const estimate = async (api: { call: typeof call }, tenant: TestTenant, period?: string) => {
    const address = `/v1/specifications/${tenant.specificationId}/estimate`
    const sent = { key: tenant.key, query: period === undefined ? {} : { period } }
    const { status, json } = await api.call('GET', address, sent)
    expect(status).toBe(200)
    return estimateResource.parse(json)
  }

  it('rests on the budget of a run, then on kindred runs, then on its own', async () => {
    const tenant = await testTenant(db)
    const { budget } = tenant.body
    const bare = await estimate({ call }, tenant)
    expect(bare).toMatchObject({ basis: 'run_budget', runs: 0, fits: 'yes', short: [] })
    expect(bare.high).toEqual({ microUsd: budget.microUsd, tokens: budget.tokens })

    const body = sampleSpecification({ name: 'Another', externalId: 'another' })
    const made = await call('POST', '/v1/specifications', { key: tenant.key, json: body })
    const { id } = z.object({ id: z.string() }).parse(made.json)
    await call('POST', `/v1/specifications/${id}/activate`, { key: tenant.key, json: {} })
    for (const [i, cost] of [10, 20, 30, 40, 50, 60, 70, 80, 90, 100].entries())
      await paid(tenant, `2022-W${String(i + 10)}`, cost)
    const other = { ...tenant, specificationId: id as TestTenant['specificationId'] }
    expect(await estimate({ call }, other)).toMatchObject({ basis: 'kindred_history', runs: 10 })
    expect(await estimate({ call }, tenant)).toMatchObject({
      basis: 'specification_history',
      runs: 10,
      low: { microUsd: 10, tokens: 6 },
      expected: { microUsd: 50, tokens: 10 },
      high: { microUsd: 90, tokens: 14 },
    })
  }, 60_000)

  it('rests on the package where there is one, and leaves no trace', async () => {
    const tenant = await testTenant(db)
    await importSample(db, tenant)
    const { tenantId, specificationId } = tenant
    const counts = () =>
      superuser(
        `select (select count(*) from runs where tenant_id = $1) as runs,
          (select count(*) from slots where tenant_id = $1) as slots,
          (select count(*) from blobs where tenant_id = $1) as blobs,
          (select count(*) from engine_calls where tenant_id = $1) as calls`,
        [tenantId],
      )
    const before = await counts()
    const found = await estimate(priced, tenant, samplePeriod)
    expect(await counts()).toEqual(before)
    expect(found).toMatchObject({ specificationId, periodKey: samplePeriod, basis: 'package' })
    expect(found.low.microUsd).toBeGreaterThan(0)
    expect(found.expected.microUsd).toBeGreaterThan(found.low.microUsd)
    expect(found.high.microUsd).toBeGreaterThan(found.expected.microUsd)
    const quiet = await estimate(priced, tenant, '2021-W10')
    expect(quiet.low.tokens).toBeLessThan(found.low.tokens)
    await priced.refused(
      'GET',
      `/v1/specifications/${specificationId}/estimate`,
      { key: tenant.key, query: { period: '2022-03' } },
      'CADENCE_PERIOD_INVALID',
    )
  })

  it('says which budgets have no room for it', async () => {
    const tenant = await testTenant(db)
    await importSample(db, tenant)
    const { tenantId } = tenant
    const whole = await estimate(priced, tenant, samplePeriod)
    expect(whole.fits).toBe('yes')
    await superuser(
      `insert into budget_limits (tenant_id, level, subject, limit_micro_usd, set_by)
        values ($1::text, 'tenant_day', $1::text, $2::bigint, 'test'),
          ($1::text, 'tenant_month', $1::text, 1, 'test')`,
      [tenantId, whole.high.microUsd - 1],
    )
    const needed = whole.high.microUsd
    const none = await estimate(priced, tenant, samplePeriod)
    expect(none.fits).toBe('no')
    expect(none.short).toEqual([
      { level: 'tenant/day', unit: 'micro-USD', needed, left: needed - 1, because: 'limit' },
      { level: 'tenant/month', unit: 'micro-USD', needed, left: 1, because: 'limit' },
    ])
    await superuser(
      `update budget_limits set limit_micro_usd = null where tenant_id = $1 and level = 'tenant_month'`,
      [tenantId],
    )
    expect((await estimate(priced, tenant, samplePeriod)).fits).toBe('maybe')
  })
})
