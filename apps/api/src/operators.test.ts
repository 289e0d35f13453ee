import { createOperatorKey, createSpendGate } from '@almanac/db'
import {
  operatorScopes,
  routes,
  type Operation,
  type OperatorScope,
  type RunId,
} from '@almanac/domain'
import { createClient } from '@almanac/client'
import { beforeAll, describe, expect, it } from 'vitest'
import { testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { addressOf, methodOf, operations, operatorsOperations } from './testing/foreign-ids.ts'
import { paidRun } from './testing/paid-run.ts'
import { testApi, type Sent } from './testing/test-api.ts'

const api = await testApi({
  provider: { name: 'openai', rates: { requests: 500, tokens: null } },
})
const { call, refused, db, superuser } = api
const [a, b] = [await testTenant(db, { name: 'A' }), await testTenant(db, { name: 'B' })]

const operatorKey = (scopes: readonly OperatorScope[] = operatorScopes, operatorName = 'Ada') =>
  db.withSystem('operators', (trx) =>
    createOperatorKey(trx, 'operator', { operatorName, name: 'test', scopes: [...scopes] }),
  )
const { secret: key, id: keyId, operatorId } = await operatorKey()

const rightForm = (operation: Operation): Sent => {
  const body = examples[operation]?.body
  return {
    ...(body === undefined ? {} : { json: body }),
    ...(operation === 'liftSpendStop' ? { query: { scope: 'all' } } : {}),
  }
}
const address = (operation: Operation) => addressOf(operation).replace(':provider', 'openai')
const gate = createSpendGate(db)
const isOpen = async (tenant: typeof a) => {
  const { tenantId } = tenant
  await gate.refresh()
  return (await gate.check({ provider: 'openai', tenantId, runId: 'run_x' as RunId })).open
}

describe('the addresses of operators', () => {
  it('are there', () => {
    expect(operatorsOperations.length).toBeGreaterThan(7)
    for (const operation of operatorsOperations) expect(address(operation)).toMatch(/^\/v1\/ops\//)
    for (const operation of operations) expect(addressOf(operation)).not.toMatch(/^\/v1\/ops\b/)
  })

  it.each(operatorsOperations)('%s takes an operator’s key and no other', async (operation) => {
    const [method, path, sent] = [methodOf(operation), address(operation), rightForm(operation)]
    await refused(method, path, sent, 'KEY_MISSING')
    for (const nobody of ['almop_nonsense', `${key}x`, 'alm_nonsense'])
      await refused(method, path, { ...sent, key: nobody }, 'KEY_INVALID')
    expect((await refused(method, path, { ...sent, key: a.key }, 'KEY_NOT_OPERATOR')).status).toBe(
      403,
    )
    const others = operatorScopes.filter((scope) => scope !== routes[operation].scope)
    const poor = (await operatorKey(others)).secret
    const found = await refused(method, path, { ...sent, key: poor }, 'SCOPE_MISSING')
    expect(found.params).toMatchObject({ needed: routes[operation].scope })
  })

  it.each(operatorsOperations)('%s names every wrong part of a request', async (operation) => {
    const sent: Sent = { ...rightForm(operation), key, query: { nonsense: '1' } }
    const found = await refused(methodOf(operation), address(operation), sent, 'INPUT_INVALID')
    expect(JSON.stringify(found.params)).toContain('query.nonsense')
  })
})

describe('an operator’s key', () => {
  it.each(operations)('opens nothing of a tenant’s: %s', async (operation) => {
    const path = addressOf(operation)
    expect((await refused(methodOf(operation), path, { key }, 'KEY_NOT_TENANT')).status).toBe(403)
  })

  it('differs from a tenant’s at the first look, and is stored as a hash', async () => {
    expect(key).toMatch(/^almop_/)
    expect(a.key).toMatch(/^alm_/)
    const [row] = await superuser<{ row: string }>(
      'select to_jsonb(k)::text as row from operator_keys k where id = $1',
      [keyId],
    )
    expect(row?.row).not.toContain(key.slice(33))
  })

  it('is no tenant’s to see: neither the keys, nor their operators, nor their acts', async () => {
    for (const table of ['operators', 'operator_keys', 'operator_acts'])
      await expect(
        db.withTenant(a.tenantId, (trx) =>
          trx
            .selectFrom(table as 'operators')
            .selectAll()
            .execute(),
        ),
      ).rejects.toMatchObject({ code: '42501' })
  })

  it('ends when it is revoked, and at its instant', async () => {
    const { secret, id } = await operatorKey()
    await superuser(`update operator_keys set expires_at = '2026-01-01' where id = $1`, [id])
    await refused('GET', '/v1/ops/providers', { key: secret }, 'KEY_EXPIRED')
    await superuser(
      'update operator_keys set expires_at = null, revoked_at = now() where id = $1',
      [id],
    )
    await refused('GET', '/v1/ops/providers', { key: secret }, 'KEY_INVALID')
  })
})

describe('/v1/ops/stop-spend', () => {
  it('stops and resumes everybody, one tenant, or a provider; audited', async () => {
    const reason = 'a test of the emergency stop'
    for (const [target, stopped] of [
      [{ scope: 'all' }, [a, b]],
      [{ scope: 'tenant', tenantId: a.tenantId }, [a]],
      [{ scope: 'provider', provider: 'openai' }, [a, b]],
      [{ scope: 'provider', provider: 'another' }, []],
    ] as const) {
      const set = await call('POST', '/v1/ops/stop-spend', { key, json: { ...target, reason } })
      const stop = { tenantId: null, provider: null, ...target, reason, stoppedBy: operatorId }
      expect(set.json).toMatchObject({ ...stop, changed: true })
      const again = { key, json: { ...target, reason: 'another reason' } }
      expect((await call('POST', '/v1/ops/stop-spend', again)).json).toMatchObject({
        ...stop,
        changed: false,
      })
      expect((await call('GET', '/v1/ops/stop-spend', { key })).json).toMatchObject({
        data: [stop],
      })
      for (const tenant of [a, b])
        expect(await isOpen(tenant)).toBe(!(stopped as readonly (typeof a)[]).includes(tenant))
      const lifted = await call('DELETE', '/v1/ops/stop-spend', { key, query: target })
      expect(lifted.json).toEqual({ queuedRuns: 0 })
      expect(await isOpen(a)).toBe(true)
      await refused('DELETE', '/v1/ops/stop-spend', { key, query: target }, 'NOT_FOUND')
    }
    const { json } = await call('GET', '/v1/ops/audit', { key, query: { limit: '3' } })
    expect(json).toMatchObject({
      data: [
        { action: 'spending.resumed', subject: 'another' },
        { action: 'spending.stopped', subject: 'another', actor: operatorId, detail: { reason } },
        { action: 'spending.resumed', subject: 'openai' },
      ],
    })
    const next = (json as { nextCursor: string }).nextCursor
    const further = await call('GET', '/v1/ops/audit', { key, query: { cursor: next } })
    expect(JSON.stringify(further.json)).toContain('key.created')
    // What was done to one tenant, that tenant's own audit says too.
    const acts = await superuser<{ action: string; actor: string }>(
      `select action, actor from audit_events where tenant_id = $1 and action like 'spending.%' order by id`,
      [a.tenantId],
    )
    expect(acts).toEqual([
      { action: 'spending.stopped', actor: operatorId },
      { action: 'spending.resumed', actor: operatorId },
    ])
  })

  it('shows a tenant’s own stop, and does not lift it; nor does the tenant lift an operator’s', async () => {
    const own = { key: a.key, json: { reason: 'ours' } }
    await call('POST', '/v1/stop-spend', own)
    expect((await call('GET', '/v1/ops/stop-spend', { key })).json).toMatchObject({
      data: [{ scope: 'own', tenantId: a.tenantId, reason: 'ours' }],
    })
    const target = { scope: 'tenant', tenantId: a.tenantId }
    await refused('DELETE', '/v1/ops/stop-spend', { key, query: target }, 'NOT_FOUND')
    await call('POST', '/v1/ops/stop-spend', { key, json: { ...target, reason: 'theirs' } })
    await call('DELETE', '/v1/stop-spend', { key: a.key })
    expect(await isOpen(a)).toBe(false)
    await call('DELETE', '/v1/ops/stop-spend', { key, query: target })
    expect(await isOpen(a)).toBe(true)
  })

  it.each([
    [{ scope: 'everything', reason: 'why' }, 'scope'],
    [{ scope: 'tenant', reason: 'why' }, 'tenantId'],
    [{ scope: 'all', tenantId: a.tenantId, reason: 'why' }, 'tenantId'],
    [{ scope: 'provider', reason: 'why' }, 'provider'],
    [{ scope: 'tenant', tenantId: a.tenantId, provider: 'openai', reason: 'why' }, 'provider'],
    [{ scope: 'all', reason: '  ' }, 'reason'],
  ])('refuses %j, and says why', async (json, field) => {
    const found = await refused('POST', '/v1/ops/stop-spend', { key, json }, 'INPUT_INVALID')
    expect(JSON.stringify(found.params)).toContain(field)
    expect(await isOpen(a)).toBe(true)
  })

  it('knows no tenant that nobody has made', async () => {
    const json = {
      scope: 'tenant',
      tenantId: 'ten_01kafz7v3be8paw2y8m4x1qd0n',
      reason: 'why not',
    }
    await refused('POST', '/v1/ops/stop-spend', { key, json }, 'NOT_FOUND')
  })
})

describe('/v1/ops/providers', () => {
  it('tells rates, circuit and money, and closes the circuit of one whose account is settled', async () => {
    const shown = async () => (await call('GET', '/v1/ops/providers', { key })).json
    const rates = { requestsPerMinute: 500, tokensPerMinute: null }
    const closed = { state: 'closed', reason: null, openedAt: null, nextProbeAt: null }
    expect(await shown()).toEqual({
      data: [{ provider: 'openai', rates, circuit: closed, stopped: false, today: null }],
    })
    await gate.billingStopped('other', 'insufficient_quota')
    await superuser(
      `insert into provider_budgets (provider, day, limit_micro_usd, spent_micro_usd)
        values ('openai', (now() at time zone 'utc')::date, 1000, 7)`,
    )
    expect(await shown()).toMatchObject({
      data: [
        { provider: 'openai', today: { limitMicroUsd: 1_000, spentMicroUsd: 7, blocked: false } },
        {
          provider: 'other',
          rates: null,
          circuit: { state: 'open', reason: 'insufficient_quota' },
          today: null,
        },
      ],
    })
    const path = '/v1/ops/providers/other/resume'
    expect((await call('POST', path, { key })).json).toEqual({ queuedRuns: 0 })
    await refused('POST', path, { key }, 'NOT_FOUND')
    const { json } = await call('GET', '/v1/ops/audit', { key, query: { limit: '1' } })
    expect(json).toMatchObject({
      data: [{ action: 'provider.resumed', subject: 'other', actor: operatorId }],
    })
  })
})

describe('/v1/ops/usage', () => {
  const days = { from: '2026-02-01', to: '2026-02-28' }
  beforeAll(async () => {
    await paidRun(api, a, { period: '2022-W09', microUsd: 100 })
    await paidRun(api, b, { period: '2022-W09', microUsd: 41, day: '2026-02-02' })
  })

  it('sums up all tenants, or one', async () => {
    const all = await call('GET', '/v1/ops/usage', { key, query: days })
    expect(all.json).toMatchObject({
      data: [
        { tenantId: a.tenantId, month: '2026-02', costMicroUsd: 100 },
        { tenantId: b.tenantId, month: '2026-02', costMicroUsd: 41 },
      ],
      total: { calls: 2, costMicroUsd: 141 },
    })
    const one = { ...days, tenantId: b.tenantId, groupBy: 'day' }
    expect((await call('GET', '/v1/ops/usage', { key, query: one })).json).toMatchObject({
      data: [{ day: '2026-02-02', costMicroUsd: 41 }],
      total: { costMicroUsd: 41 },
    })
    const query = { ...days, format: 'csv' }
    const { text } = await call('GET', '/v1/ops/usage', { key, query })
    expect(text).toMatch(new RegExp(`^tenant_id,month,.*\\r\\n${a.tenantId},2026-02,1,`))
    const waste = await call('GET', '/v1/ops/usage/waste', { key, query: days })
    expect(waste.json).toMatchObject({ total: { calls: 2, costMicroUsd: 141 } })
    const own = { ...days, tenantId: b.tenantId }
    expect((await call('GET', '/v1/ops/usage/waste', { key, query: own })).json).toMatchObject({
      total: { calls: 1, costMicroUsd: 41 },
    })
  })

  it('is held against a provider’s own numbers', async () => {
    const [row] = await superuser<{ provider: string; input: number }>(
      `select provider, sum(input_tokens)::int as input from engine_calls
        where hold_day = '2026-02-01' group by 1`,
    )
    const { provider = '', input = 0 } = row ?? {}
    const line = { day: '2026-02-01', model: 'gpt-5-mini', inputTokens: input, outputTokens: 5 }
    const json = { provider, lines: [{ ...line, costUsd: '0.000100' }] }
    const same = await call('POST', '/v1/ops/usage/reconcile', { key, json })
    expect(same.json).toMatchObject({
      ...{ from: '2026-02-01', to: '2026-02-01', over: false, lostCalls: [] },
      lines: [{ model: 'gpt-5-mini', difference: { costMicroUsd: 0 }, share: 0 }],
    })
    const dearer = { provider, to: '2026-02-02', lines: [{ ...line, costUsd: 0.00012 }] }
    const other = await call('POST', '/v1/ops/usage/reconcile', { key, json: dearer })
    expect(other.json).toMatchObject({
      over: true,
      lines: [{ difference: { costMicroUsd: 20 } }, { day: '2026-02-02', over: true }],
      total: { ours: { costMicroUsd: 141 }, theirs: { costMicroUsd: 120 } },
    })
  })
})

describe('the client', () => {
  it('of an operator asks and acts as one', async () => {
    const client = createClient({ url: api.url, key })
    const reason = 'asked by the client'
    const stop = await client.setSpendStop({ body: { scope: 'all', reason } })
    expect(stop).toMatchObject({ changed: true, reason })
    expect(await client.liftSpendStop({ query: { scope: 'all' } })).toEqual({ queuedRuns: 0 })
    await expect(client.listRuns()).rejects.toMatchObject({ code: 'KEY_NOT_TENANT' })
  })
})
