import { AlmanacError, events, type BudgetLimit } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { LoadedRun } from '@almanac/pipeline'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  queueRun,
  testDatabase,
  testTenant,
  type TestTenant,
} from '../../../../test/support/postgres.ts'
import { createDriver } from '../testing/drive-run.ts'
import { callRef, holdRequest, settlement } from '../testing/paid-call.ts'
import { listBudgetAlerts } from './budget-alerts.ts'
import { listBudgets, setBudgetLimit } from './budgets.ts'
import { listOperatorActs } from '../operators/operator-acts.ts'
import { listProviderBudgets, setProviderLimit } from './provider-budgets.ts'
import { acknowledgeOverruns, findRunTenant, releaseUnknownCall } from './settle-by-hand.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, operations, workerId } = driver
const { ledger } = ports
beforeAll(() =>
  operations.leases.register({ id: workerId, host: 'test', pid: 1, version: '0' }, 3_600_000),
)

/** The sample's run budget: what one run may need. */
const oneRun = 500_000

async function running(tenant: TestTenant): Promise<LoadedRun> {
  const id = await queueRun(db, tenant, { test: true })
  await driver.admit(tenant.tenantId)
  return driver.load(tenant.tenantId, id)
}

const hold = (run: LoadedRun, over: Parameters<typeof holdRequest>[2] = {}) =>
  ledger.hold(holdRequest(run, workerId, over))
const set = (tenant: TestTenant, limit: Partial<BudgetLimit> & Pick<BudgetLimit, 'level'>) =>
  setBudgetLimit(db, tenant.tenantId, 'operator', { microUsd: null, tokens: null, ...limit })
const list = async ({ tenantId }: TestTenant) =>
  (await db.withTenant(tenantId, (trx) => listBudgets(trx, tenantId, { limit: 100 }))).data
const alerts = async ({ tenantId }: TestTenant) =>
  (await db.withTenant(tenantId, (trx) => listBudgetAlerts(trx, tenantId, { limit: 100 }))).data
const acts = async (subject: string) =>
  (
    await superuser<{ action: string; detail: string }>(
      'select action, detail from audit_events where subject = $1 order by id',
      [subject],
    )
  ).map(({ action, detail }) => ({ action, ...(JSON.parse(detail) as object) }))
const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((caught: unknown) => caught)
  return error instanceof AlmanacError ? `${error.code}: ${error.message}` : 'not refused'
}

describe('a limit', () => {
  it('is in force for the next hold, and lifted for the one after', async () => {
    const tenant = await testTenant(db)
    const [one, two] = [await running(tenant), await running(tenant)]
    const large = { estimate: { microUsd: 400_000, tokens: 100 } }
    expect(await hold(one, large)).toMatchObject({ state: 'granted' })
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    expect(await hold(two, large)).toEqual({
      state: 'refused',
      level: 'tenant/day',
      unit: 'micro-USD',
      needed: 400_000,
      left: 100_000,
      because: 'limit',
    })
    await set(tenant, { level: 'tenant/day' })
    expect(await hold(two, large)).toMatchObject({ state: 'granted' })
  })

  it('holds on the next day and month as well', async () => {
    const tenant = await testTenant(db)
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    await set(tenant, { level: 'tenant/month', microUsd: 2 * oneRun, tokens: 1_000_000 })
    const rows = await superuser(
      `select level, limit_micro_usd::int as usd, limit_tokens::int as tok,
        period > to_char(now() at time zone 'utc', 'YYYY-MM-DD') as later
      from budgets where tenant_id = $1 order by level, period`,
      [tenant.tenantId],
    )
    expect(rows).toEqual([
      { level: 'tenant_day', usd: oneRun, tok: null, later: false },
      { level: 'tenant_day', usd: oneRun, tok: null, later: true },
      { level: 'tenant_month', usd: 2 * oneRun, tok: 1_000_000, later: false },
      { level: 'tenant_month', usd: 2 * oneRun, tok: 1_000_000, later: true },
    ])
  })

  it('of a day that nobody has seen yet comes from what was set', async () => {
    const tenant = await testTenant(db)
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    await superuser(`delete from budgets where tenant_id = $1`, [tenant.tenantId])
    const run = await running(tenant)
    const dear = { microUsd: oneRun + 1, tokens: 1 }
    const runLimit = { microUsd: 10 * oneRun, tokens: 80_000 }
    expect(await hold(run, { estimate: dear, runLimit })).toMatchObject({ level: 'tenant/day' })
  })

  it('below what one run may need is refused with the number', async () => {
    const tenant = await testTenant(db)
    const { specificationId } = tenant
    expect(await refusal(set(tenant, { level: 'tenant/month', microUsd: oneRun - 1 }))).toBe(
      `INPUT_INVALID: microUsd: must be at least 500000 micro-USD, which is what one run of ${specificationId} may need (found 499999)`,
    )
    expect(
      await refusal(
        set(tenant, { level: 'specification', specificationId, microUsd: 0, tokens: 5 }),
      ),
    ).toMatch(/microUsd: .*500000.*; tokens: must be at least 80000 tokens/)
    expect(await list(tenant)).toMatchObject([{ limit: { microUsd: null } }, {}])
  })

  it('of a specification that is another tenant’s is not found', async () => {
    const [mine, theirs] = [await testTenant(db), await testTenant(db)]
    const { specificationId } = theirs
    expect(
      await refusal(set(mine, { level: 'specification', specificationId, microUsd: oneRun })),
    ).toMatch(/^NOT_FOUND/)
  })

  it('below what is spent and held is taken, said, and lets nothing more through', async () => {
    const tenant = await testTenant(db)
    const [one, two] = [await running(tenant), await running(tenant)]
    const runLimit = { microUsd: 10 * oneRun, tokens: 80_000 }
    await hold(one, { estimate: { microUsd: 2 * oneRun, tokens: 1 }, runLimit })
    const { passed, budget } = await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    expect({ passed, held: budget.held.microUsd }).toEqual({ passed: true, held: 2 * oneRun })
    expect(await hold(two)).toMatchObject({ state: 'refused', left: -oneRun })
  })

  it('is audited with who set it', async () => {
    const tenant = await testTenant(db)
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    expect((await acts(tenant.tenantId)).at(-1)).toEqual({
      action: 'budget.changed',
      level: 'tenant/day',
      microUsd: oneRun,
      tokens: null,
    })
  })

  it('of a provider’s days is the installation’s', async () => {
    const run = await running(await testTenant(db))
    const provider = newId('key')
    const limit = (microUsd: number | null) =>
      db.withSystem('operators', (trx) => setProviderLimit(trx, 'operator', provider, microUsd))
    expect(await limit(4_999)).toEqual({ usedMicroUsd: 0, passed: false })
    expect(await hold(run, { provider })).toMatchObject({ level: 'provider/day', left: 4_999 })
    await limit(5_000)
    expect(await hold(run, { provider })).toMatchObject({ state: 'granted' })
    expect(await limit(1)).toEqual({ usedMicroUsd: 5_000, passed: true })
    const shown = await db.withSystem('operators', listProviderBudgets)
    expect(shown.find((row) => row.provider === provider)).toMatchObject({
      limitMicroUsd: 1,
      heldMicroUsd: 5_000,
    })
    const { data: acts } = await listOperatorActs(db, { limit: 10 })
    expect(
      acts
        .filter(({ subject }) => subject === provider)
        .map(({ action, detail }) => [action, detail]),
    ).toEqual([1, 5_000, 4_999].map((limitMicroUsd) => ['provider.limited', { limitMicroUsd }]))
    const noted = await superuser(
      'select percent, limit_amount::int as at from provider_alerts where provider = $1 order by at, percent',
      [provider],
    )
    expect(noted).toEqual([
      { percent: 50, at: 1 },
      { percent: 80, at: 1 },
      { percent: 100, at: 1 },
      { percent: 100, at: 4_999 },
      { percent: 50, at: 5_000 },
      { percent: 80, at: 5_000 },
      { percent: 100, at: 5_000 },
    ])
  })
})

describe('an alert', () => {
  it('is told once for each share of a limit, by the hold or settlement that reaches it', async () => {
    const tenant = await testTenant(db)
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    const run = await running(tenant)
    const ask = (callKey: string, microUsd: number) =>
      hold(run, {
        callKey,
        estimate: { microUsd, tokens: 1 },
        runLimit: { microUsd: 100 * oneRun, tokens: 1_000_000 },
      })
    const percents = async () =>
      (await alerts(tenant))
        .filter(({ level }) => level === 'tenant/day')
        .map(({ type, percent }) => `${type} ${percent}`)
        .sort()
    await ask('draft:1', oneRun / 2 - 1)
    expect(await percents()).toEqual([])
    await ask('draft:2', 1)
    expect(await percents()).toEqual(['budget.nearing 50'])
    await ledger.release(callRef(run, 1, 'draft:2'), 'test')
    await ask('draft:3', oneRun * 0.3 + 1)
    expect(await percents()).toEqual(['budget.nearing 50', 'budget.nearing 80'])
    await ask('draft:4', oneRun)
    expect(await percents()).toEqual([
      'budget.exhausted 100',
      'budget.nearing 50',
      'budget.nearing 80',
    ])
    expect((await alerts(tenant))[0]).toMatchObject({ limit: oneRun, unit: 'micro-USD' })
  })

  it('is told page by page, newest first', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    await set(tenant, { level: 'tenant/day', microUsd: oneRun })
    await hold(await running(tenant), { estimate: { microUsd: oneRun, tokens: 80_000 } })
    const all = await alerts(tenant)
    expect(all.length).toBeGreaterThan(5)
    const found = []
    for (let cursor: string | undefined; ;) {
      const page = await db.withTenant(tenantId, (trx) =>
        listBudgetAlerts(trx, tenantId, { limit: 2, cursor }),
      )
      found.push(...page.data)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    expect(found).toEqual(all)
  })
})

describe('an overrun', () => {
  it('is charged, told, and keeps the run’s further calls out until it is acknowledged', async () => {
    const tenant = await testTenant(db)
    const run = await running(tenant)
    const { id } = run.facts
    await hold(run)
    await ledger.settle(callRef(run), settlement({ costMicroUsd: 7_500 }))
    expect((await alerts(tenant))[0]).toMatchObject({
      type: 'budget.overrun',
      runId: id,
      callKey: 'draft:1',
      microUsd: 2_500,
      acknowledgedAt: null,
    })
    expect(await hold(run, { callKey: 'repair:1' })).toMatchObject({
      state: 'refused',
      level: 'root',
      because: 'overrun',
    })
    // The limits of the other levels held: other runs go on.
    expect(await hold(await running(tenant))).toMatchObject({ state: 'granted' })

    const call = { tenantId: tenant.tenantId, runId: id, callKey: 'draft:1' }
    const acknowledge = () =>
      db.withSystem('operators', (trx) =>
        acknowledgeOverruns(trx, 'operator', call, 'the price list was old'),
      )
    expect(await acknowledge()).toBe(1)
    expect(await refusal(acknowledge())).toMatch(/^NOT_FOUND/)
    expect(await hold(run, { callKey: 'repair:1' })).toMatchObject({ state: 'granted' })
    expect((await acts(id)).at(-1)).toMatchObject({
      action: 'overrun.acknowledged',
      microUsd: 2_500,
      reason: 'the price list was old',
    })
    expect((await list(tenant))[0]).toMatchObject({
      level: 'tenant/day',
      overrun: { microUsd: 2_500 },
      blocked: false,
    })
  })

  it('that breaks a tenant’s limit keeps everybody of the tenant out, also with a new limit', async () => {
    const tenant = await testTenant(db)
    const [one, two] = [await running(tenant), await running(tenant)]
    await set(tenant, { level: 'tenant/month', microUsd: oneRun })
    await hold(one)
    await ledger.settle(callRef(one), settlement({ costMicroUsd: oneRun + 1 }))
    await set(tenant, { level: 'tenant/month', microUsd: 2 * oneRun })
    expect(await hold(two)).toMatchObject({ level: 'tenant/month', because: 'overrun' })
    expect((await list(tenant)).find(({ level }) => level === 'tenant/month')?.blocked).toBe(true)
    const call = { tenantId: tenant.tenantId, runId: one.facts.id, callKey: 'draft:1' }
    await db.withSystem('operators', (trx) => acknowledgeOverruns(trx, 'operator', call, 'seen it'))
    expect(await hold(two)).toMatchObject({ state: 'granted' })
  })
})

describe('the finishing reserve', () => {
  const runLimit = { microUsd: 30_000, tokens: 80_000 }
  const finishing = { microUsd: 15_000, tokens: 300 }

  it('is left alone by what refines, and used by what repairs', async () => {
    const run = await running(await testTenant(db))
    const ask = (callKey: string, microUsd: number) =>
      hold(run, {
        callKey,
        runLimit,
        estimate: { microUsd, tokens: 1 },
        ...(callKey === 'draft:1' ? { finishing } : {}),
      })
    expect(await ask('draft:1', 10_000)).toMatchObject({ state: 'granted' })
    expect(await ask('variant:1', 5_001)).toEqual({
      state: 'refused',
      level: 'root',
      unit: 'micro-USD',
      needed: 5_001,
      left: 5_000,
      because: 'reserve',
    })
    expect(await ask('variant:1', 5_000)).toMatchObject({ state: 'granted' })
    expect(await ask('repair:1', 7_500)).toMatchObject({ state: 'granted' })
    expect(await ask('repair:2', 7_500)).toMatchObject({ state: 'granted' })
    expect(await ask('repair:3', 1)).toMatchObject({ state: 'refused', because: 'limit' })
  })

  it('comes back when a repair was not billed, and never keeps a draft out', async () => {
    const run = await running(await testTenant(db))
    const ask = (callKey: string, microUsd: number) =>
      hold(run, { callKey, runLimit, estimate: { microUsd, tokens: 1 }, finishing })
    expect(await ask('phase:a', 16_000)).toMatchObject({ state: 'granted' })
    expect(await ask('phase:b', 6_500)).toMatchObject({ state: 'granted' })
    expect(await ask('repair:1', 7_500)).toMatchObject({ state: 'granted' })
    await ledger.release(callRef(run, 1, 'repair:1'), 'rate')
    expect(await ask('judge:1', 1)).toMatchObject({ state: 'refused', because: 'reserve' })
  })
})

describe('a call whose answer was lost', () => {
  it('is released by hand with a reason, once, and only while it is unknown', async () => {
    const tenant = await testTenant(db)
    const run = await running(tenant)
    const { id } = run.facts
    const call = { tenantId: tenant.tenantId, runId: id, callKey: 'draft:1' }
    const release = () => releaseUnknownCall(db, 'operator', call, 'not on the invoice')
    expect(await refusal(release())).toMatch(/^NOT_FOUND/)
    await hold(run)
    expect(await refusal(release())).toMatch(/STATE_CONFLICT: This call is open/)
    await ledger.unknown(callRef(run), 'timeout')
    expect(await release()).toEqual({ seq: 1, microUsd: 5_000 })
    expect(await refusal(release())).toMatch(/STATE_CONFLICT: This call is released/)
    expect((await list(tenant))[0]).toMatchObject({ held: { microUsd: 0 }, spent: { microUsd: 0 } })
    expect((await acts(id)).at(-1)).toEqual({
      action: 'hold.released',
      callKey: 'draft:1',
      seq: 1,
      microUsd: 5_000,
      tokens: 100,
      reason: 'not on the invoice',
    })
    expect(await db.withSystem('operators', (trx) => findRunTenant(trx, id))).toBe(tenant.tenantId)
  })
})

describe('the events of a run', () => {
  const eventsOf = async ({ facts }: LoadedRun) => {
    const rows = await superuser<{ type: string; data: Record<string, unknown> }>(
      `select type, data from run_events where run_id = $1 and type like 'budget.%' order by seq`,
      [facts.id],
    )
    for (const { type, data } of rows) events[type as 'budget.nearing'].parse(data)
    return rows.map(({ type, data: { level, unit, percent, microUsd, callKey } }) =>
      [type.slice('budget.'.length), level, unit, percent, microUsd, callKey]
        .filter((part) => part !== undefined)
        .join(' '),
    )
  }
  const tell = () => operations.sweep.tellBudgets()

  it('tell of every level and unit whose share of a limit its calls have reached, once', async () => {
    await tell()
    const tenant = await testTenant(db)
    const provider = newId('key')
    await db.withSystem('operators', (trx) => setProviderLimit(trx, 'operator', provider, 10_000))
    await set(tenant, {
      level: 'specification',
      specificationId: tenant.specificationId,
      microUsd: null,
      tokens: 100_000,
    })
    const run = await running(tenant)
    const runLimit = { microUsd: 50_000, tokens: 80_000 }
    await hold(run, { provider, estimate: { microUsd: 6_000, tokens: 1_000 }, runLimit })
    expect(await tell()).toBe(1)
    expect(await eventsOf(run)).toEqual(['nearing provider/day micro-USD 50'])
    expect(await tell()).toBe(0)

    const further = { callKey: 'draft:2', estimate: { microUsd: 100, tokens: 70_000 }, runLimit }
    await hold(run, further)
    expect(await tell()).toBe(3)
    expect((await eventsOf(run)).slice(1).sort()).toEqual([
      'nearing root tokens 50',
      'nearing root tokens 80',
      'nearing specification tokens 50',
    ])
    // Refused: the limit is used up, though not to the last token.
    await hold(run, { callKey: 'draft:3', estimate: { microUsd: 1, tokens: 10_000 }, runLimit })
    expect(await tell()).toBe(1)
    expect((await eventsOf(run)).at(-1)).toBe('exhausted root tokens')
  })

  it('are not added to when it is over', async () => {
    const tenant = await testTenant(db)
    const run = await running(tenant)
    await hold(run, {
      estimate: { microUsd: 9, tokens: 1 },
      runLimit: { microUsd: 10, tokens: 80_000 },
    })
    const failed = { to: 'failed', code: 'STAGE_FAILED', params: {}, detail: 'x' } as const
    expect(await driver.move(tenant.tenantId, run.facts.id, failed)).toBe('committed')
    await tell()
    expect(await eventsOf(run)).toEqual([])
    expect((await alerts(tenant)).map(({ percent }) => percent)).toContain(80)
  })

  it('tell of an overrun at once, with every level that it blocks', async () => {
    const tenant = await testTenant(db)
    const run = await running(tenant)
    await set(tenant, { level: 'tenant/month', microUsd: oneRun })
    const provider = newId('key')
    await hold(run, { provider })
    await db.withSystem('operators', (trx) => setProviderLimit(trx, 'operator', provider, 6_000))
    await ledger.settle(callRef(run), settlement({ costMicroUsd: oneRun + 1 }))
    const microUsd = oneRun + 1 - 5_000
    expect(await eventsOf(run)).toEqual([
      `overrun root ${microUsd} draft:1`,
      `overrun tenant/month ${microUsd} draft:1`,
      `overrun provider/day ${microUsd} draft:1`,
    ])
  })
})
