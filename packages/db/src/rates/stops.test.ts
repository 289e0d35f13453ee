import type { RunId, TenantId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  queueRun,
  testDatabase,
  testTenant,
  type TestTenant,
} from '../../../../test/support/postgres.ts'
import { createDriver } from '../testing/drive-run.ts'
import { createSpendGate } from './spend-gate.ts'
import {
  listCircuits,
  listStops,
  queueStopped,
  resumeProvider,
  resumeSpending,
  stopSpending,
  writeTenantRates,
  type StopScope,
} from './stops.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const gate = createSpendGate(db)
const provider = 'openai'

const asOperator = <T>(work: Parameters<typeof db.withSystem<T>>[1]) =>
  db.withSystem('operators', work)
const stop = (scope: StopScope) => asOperator((trx) => stopSpending(trx, scope, 'ops', 'a test'))
const resume = (scope: StopScope) => asOperator((trx) => resumeSpending(trx, scope, 'ops'))
const wake = () => asOperator(queueStopped)

/** A run that waits because a call of its was stopped. */
async function stoppedRun(tenant: TestTenant, waitsFor = provider): Promise<RunId> {
  const runId = await queueRun(db, tenant, { period: '2022-W10', test: true })
  await driver.admit(tenant.tenantId)
  await driver.advance(tenant.tenantId, runId, 'execute')
  const wakeAt = new Date(Date.now() + 300_000).toISOString()
  const parked = { to: 'parked', reason: 'provider_stopped', wakeAt, provider: waitsFor } as const
  expect(await driver.move(tenant.tenantId, runId, parked)).toBe('committed')
  return runId
}

const stateOf = async (runId: RunId) => {
  const [row] = await superuser<{ state: string }>('select state from runs where id = $1', [runId])
  return row?.state
}
const check = ({ tenantId }: { tenantId: TenantId }, runId = 'run_x' as RunId) =>
  gate.check({ provider, tenantId, runId })

describe('a stop of spending', () => {
  it.each(['all', 'tenant', 'own', 'provider'] as const)(
    'of %s stops those it names, until it is lifted',
    async (kind) => {
      const [a, b] = [await testTenant(db), await testTenant(db)]
      const scope: StopScope =
        kind === 'tenant' || kind === 'own'
          ? { scope: kind, tenantId: a.tenantId }
          : kind === 'provider'
            ? { scope: kind, provider }
            : { scope: kind }
      const others = createSpendGate(db)
      expect(await check(a)).toEqual({ open: true, probe: false })
      const [waits, elsewhere] = [await stoppedRun(a), await stoppedRun(b, 'another')]
      expect(await stop(scope)).toBe(true)
      expect(await stop(scope)).toBe(false)
      await gate.refresh()
      expect(await check(a)).toEqual({ open: false })
      expect((await check(b)).open).toBe(kind === 'tenant' || kind === 'own')
      expect(gate.spending(provider, [a.tenantId]).size).toBe(0)
      expect(await others.check({ provider, tenantId: a.tenantId, runId: waits })).toEqual({
        open: false,
      })
      await wake()
      expect(await stateOf(waits)).toBe('parked')
      expect(await stateOf(elsewhere)).toBe(kind === 'all' ? 'parked' : 'queued')
      expect(await asOperator(listStops)).toMatchObject([{ scope: kind, reason: 'a test' }])

      expect(await resume(scope)).toBeGreaterThan(0)
      expect(await stateOf(waits)).toBe('queued')
      // A "no" in memory is held against the rows before it is said.
      expect(await check(a)).toEqual({ open: true, probe: false })
      expect(await resume(scope)).toBeUndefined()
    },
  )

  it('is heard of at once by those who listen, and audited', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const closing = new AbortController()
    const others = createSpendGate(db, { monotonic: () => 0 })
    await others.listen(closing.signal)
    await stop({ scope: 'tenant', tenantId })
    await expect.poll(() => others.spending(provider, [tenantId]).size).toBe(0)
    await resume({ scope: 'tenant', tenantId })
    await expect.poll(() => others.spending(provider, [tenantId]).size).toBe(1)
    closing.abort()
    const acts = await superuser<{ action: string }>(
      `select action from audit_events where tenant_id = $1 and action like 'spending.%' order by id`,
      [tenantId],
    )
    expect(acts.map(({ action }) => action)).toEqual(['spending.stopped', 'spending.resumed'])
  })
})

describe('a provider that refuses to be paid', () => {
  const circuit = async () => (await asOperator(listCircuits))[0]
  const probeIsDue = () => superuser(`update provider_circuits set next_probe_at = now()`)

  it('is called no more, then by one run alone, and by all when that succeeds', async () => {
    const tenant = await testTenant(db)
    const runs = [await stoppedRun(tenant), await stoppedRun(tenant), await stoppedRun(tenant)]
    await gate.billingStopped(provider, 'insufficient_quota')
    await gate.billingStopped(provider, 'insufficient_quota')
    expect(await circuit()).toMatchObject({ state: 'open', reason: 'insufficient_quota' })
    expect(await check(tenant)).toEqual({ open: false })
    expect(await wake()).toBe(0)

    await probeIsDue()
    expect(await wake()).toBe(1)
    expect(await wake()).toBe(0)
    const states = await Promise.all(runs.map(stateOf))
    expect(states).toEqual(['queued', 'parked', 'parked'])
    const [probe = 'run_x' as RunId, other] = runs
    expect(await check(tenant, other)).toEqual({ open: false })
    expect(await check(tenant, probe)).toEqual({ open: true, probe: true })

    await gate.probed({ provider, tenantId: tenant.tenantId, runId: probe }, true)
    expect(await circuit()).toMatchObject({ state: 'closed', nextProbeAt: null })
    expect(await Promise.all(runs.map(stateOf))).toEqual(['queued', 'queued', 'queued'])
    expect(await check(tenant)).toEqual({ open: true, probe: false })
  })

  it('waits twice as long after each refused probe, and a lost probe is taken back', async () => {
    const tenant = await testTenant(db)
    const runId = await stoppedRun(tenant)
    const waits = async () => {
      const [row] = await superuser<{ minutes: number }>(
        `select round(extract(epoch from next_probe_at - now()) / 60)::int as minutes from provider_circuits`,
      )
      return row?.minutes
    }
    await gate.billingStopped(provider, 'insufficient_quota')
    expect(await waits()).toBe(5)
    await probeIsDue()
    expect(await wake()).toBe(1)
    await gate.billingStopped(provider, 'insufficient_quota')
    expect(await waits()).toBe(10)
    await stoppedRun(await testTenant(db))
    await probeIsDue()
    expect(await wake()).toBe(1)
    await superuser('update provider_circuits set probe_until = now()')
    await wake()
    expect((await circuit())?.state).toBe('open')
    expect(await check(tenant, runId)).toEqual({ open: false })

    expect(await asOperator((trx) => resumeProvider(trx, provider, 'ops'))).toBe(0)
    await expect(asOperator((trx) => resumeProvider(trx, provider, 'ops'))).rejects.toThrow(
      /openai/,
    )
    expect(await check(tenant)).toEqual({ open: true, probe: false })
  })
})

it('knows the limits of tenants as soon as they are set', async () => {
  const { tenantId } = await testTenant(db)
  const rates = { requests: 60, tokens: 100_000 }
  await asOperator((trx) => writeTenantRates(trx, tenantId, 'ops', rates))
  await gate.refresh()
  expect(gate.ofTenant(tenantId)).toEqual(rates)
})
