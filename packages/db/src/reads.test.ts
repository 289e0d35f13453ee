import { canonicalJson, isAlmanacError, type RunId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  queueRun,
  testDatabase,
  testTenant,
  type TestTenant,
} from '../../../test/support/postgres.ts'
import { everythingBought } from '../../../test/support/sample.ts'
import { acceptRerun } from './nouns/accept-run.ts'
import { ensureSource, importBatch } from './nouns/evidence.ts'
import { setTenantState } from './nouns/tenants.ts'
import { createDriver } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports } = driver

describe('a loaded run', () => {
  it('has its facts and the outputs of its stages', async () => {
    const tenant = await testTenant(db)
    const { tenantId, specificationId, body } = tenant
    if (body.kind !== 'report') throw new Error('not a report')
    const narrow = { regions: body.regions.slice(0, 1) }
    const now = new Date()
    const id = await queueRun(db, tenant, { period: '2022-W10', narrow, onConflict: 'wait' }, now)
    await driver.admit(tenantId)
    const run = await driver.advance(tenantId, id, 'assemble')
    expect(run).toEqual({
      facts: {
        id,
        tenantId,
        specificationId,
        revision: 1,
        trigger: 'api',
        test: false,
        fresh: false,
        period: '2022-W10',
        ordinal: 0,
        narrow,
        onConflict: 'wait',
        lane: 'interactive',
        origin: null,
        createdAt: now.toISOString(),
        deadlineAt: new Date(now.getTime() + body.deadlineMinutes * 60_000).toISOString(),
      },
      epoch: 1,
      state: 'running',
      nextStage: 'assemble',
      tries: 0,
      outputs: { retrieve: '{}', cadence: '{"periodKey":"2022-W10"}' },
      originOutputs: {},
    })
  })

  it('that retries another has the outputs of that one too', async () => {
    const tenant = await testTenant(db)
    const { tenantId, principalId } = tenant
    const id = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    await driver.advance(tenantId, id, 'assemble')
    const error = { code: 'STAGE_FAILED', params: { stage: 'assemble' }, detail: '' } as const
    await driver.move(tenantId, id, { to: 'failed', ...error })
    const retried = await db.withTenant(tenantId, (trx) =>
      acceptRerun(
        trx,
        tenantId,
        principalId,
        id,
        { trigger: 'retry', fromStage: 'assemble' },
        new Date(),
      ),
    )
    const run = await driver.load(tenantId, retried)
    expect(run.facts.origin).toEqual({ runId: id, fromStage: 'assemble' })
    expect(run.outputs).toEqual({})
    expect(run.originOutputs).toEqual({ retrieve: '{}', cadence: '{"periodKey":"2022-W10"}' })
  })

  it('of another tenant is not there', async () => {
    const [a, b] = [await testTenant(db), await testTenant(db)]
    const id = await queueRun(db, b, { test: true })
    expect(await ports.load(a.tenantId, id)).toBeUndefined()
  })
})

describe('the specification of a run', () => {
  const boundOf = async (tenant: TestTenant) => {
    const id = await queueRun(db, tenant, { test: true })
    return ports.specifications.bound((await driver.load(tenant.tenantId, id)).facts)
  }

  it('is its revision, with what is true now around it', async () => {
    const tenant = await testTenant(db, { name: 'Foam Ltd' })
    const bound = await boundOf(tenant)
    expect(bound).toMatchObject({
      state: 'active',
      tenantName: 'Foam Ltd',
      tenantSuspended: false,
      body: tenant.body,
      entitlement: everythingBought,
      onDemandRunsThisMonth: 0,
    })
    const id = await queueRun(db, tenant, { test: true })
    const { facts } = await driver.load(tenant.tenantId, id)
    await db.withSystem('tenants', (trx) => setTenantState(trx, tenant.tenantId, 'suspended'))
    expect(await ports.specifications.bound(facts)).toMatchObject({ tenantSuspended: true })
  })

  it('of a tenant without entitlement comes with nothing bought', async () => {
    const tenant = await testTenant(db)
    const id = await queueRun(db, tenant, { test: true })
    await superuser('delete from entitlements where tenant_id = $1', [tenant.tenantId])
    const { facts } = await driver.load(tenant.tenantId, id)
    const { entitlement } = await ports.specifications.bound(facts)
    expect(entitlement).toMatchObject({ industries: {}, onDemandRunsPerMonth: 0 })
  })

  it('that is not there is not found', async () => {
    const tenant = await testTenant(db)
    const { facts } = await driver.load(tenant.tenantId, await queueRun(db, tenant, { test: true }))
    await expect(ports.specifications.bound({ ...facts, revision: 9 })).rejects.toSatisfy((error) =>
      isAlmanacError(error, 'NOT_FOUND'),
    )
  })

  it('made on demand counts the run with those before it in its month', async () => {
    const tenant = await testTenant(db, {
      specification: { cadence: 'on_demand', schedule: 'manual' },
    })
    const ids: RunId[] = []
    for (let i = 0; i < 4; i += 1) ids.push(await queueRun(db, tenant))
    await queueRun(db, tenant, { test: true })
    const [lastMonth, blocked, third, fourth] = ids
    await superuser(`update runs set state = 'blocked' where id = $1`, [blocked])
    const counts = []
    for (const id of [lastMonth, third, fourth]) {
      if (!id) throw new Error('no run')
      const { facts } = await driver.load(tenant.tenantId, id)
      counts.push((await ports.specifications.bound(facts)).onDemandRunsThisMonth)
    }
    expect(counts).toEqual([1, 2, 3])
  })
})

describe('evidence', () => {
  const item = (itemId: string, publishedAt: string, title = itemId) => ({
    itemId,
    publishedAt,
    title,
    text: `Text of ${title}.`,
    attributes: { agency: 'FAA' },
    withdrawn: false,
  })

  async function imported() {
    const { tenantId } = await testTenant(db)
    const put = async (source: string, items: ReturnType<typeof item>[]) => {
      const { id } = await db.withTenant(tenantId, (trx) => ensureSource(trx, tenantId, source))
      await importBatch(db, ports.content, tenantId, id, items)
    }
    await put('rules', [
      item('b', '2022-03-07T05:00:00Z'),
      item('a', '2022-03-07T05:00:00Z'),
      item('last', '2022-03-14T03:59:59.999Z'),
      item('after', '2022-03-14T04:00:00Z'),
      item('before', '2022-03-07T04:59:59Z'),
    ])
    await put('other', [item('elsewhere', '2022-03-08T00:00:00Z')])
    const window = { tenantId, from: '2022-03-07T05:00:00Z', to: '2022-03-14T04:00:00Z' }
    return { tenantId, put, window }
  }

  it('of the window comes in order, from the named sources only', async () => {
    const { window } = await imported()
    const items = await ports.evidence.inWindow({ ...window, sources: ['rules', 'no such source'] })
    expect(items.map(({ id }) => id)).toEqual(['rules/a', 'rules/b', 'rules/last'])
    expect(items[0]).toMatchObject({
      ...item('a', '2022-03-07T05:00:00Z'),
      source: 'rules',
      revision: 1,
    })
  })

  it('comes in its newest revision, with the hash of its content', async () => {
    const { tenantId, put, window } = await imported()
    await put('rules', [item('a', '2022-03-07T05:00:00Z', 'corrected')])
    const [first] = await ports.evidence.inWindow({ ...window, sources: ['rules'] })
    expect(first).toMatchObject({ id: 'rules/a', revision: 2, title: 'corrected' })
    const text = await ports.content.get(tenantId, first?.hash ?? '')
    expect(text).toBe(canonicalJson(item('a', '2022-03-07T05:00:00Z', 'corrected')))
  })

  it('that arrived late is counted', async () => {
    const { window } = await imported()
    const { tenantId, from } = window
    const late = (since: string) =>
      ports.evidence.late({ tenantId, sources: ['rules'], from, since })
    expect(await late('2022-01-01T00:00:00Z')).toBe(1)
    expect(await late('2099-01-01T00:00:00Z')).toBe(0)
  })
})

describe('history', () => {
  const before = (tenant: TestTenant, from: string) =>
    ports.history.before({
      tenantId: tenant.tenantId,
      specificationId: tenant.specificationId,
      from,
    })

  it('holds earlier periods’ successes that still stand', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const id = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    await driver.succeed(tenantId, id)
    const { history, previousArtifactHash } = await before(tenant, '2022-03-14T04:00:00Z')
    expect(history).toMatchObject([{ runId: id, periodKey: '2022-W10' }])
    const [json] = await superuser(
      `select sha256 from artifacts where run_id = $1 and format = 'json'`,
      [id],
    )
    expect(previousArtifactHash).toBe(json?.['sha256'])
    expect((await before(tenant, '2022-03-13T00:00:00Z')).history).toEqual([])
    await superuser(
      `update artifact_sets set current = false, retracted_at = now() where run_id = $1`,
      [id],
    )
    expect(await before(tenant, '2022-03-14T04:00:00Z')).toEqual({
      history: [],
      previousArtifactHash: undefined,
    })
  })
})
