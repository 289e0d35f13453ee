import { createKey } from '@almanac/db'
import { describe, expect, it } from 'vitest'
import { testTenant } from '../../../test/support/postgres.ts'
import { testApi } from './testing/test-api.ts'

const { call, refused, db } = await testApi()
const tenant = await testTenant(db)
const { specificationId, key } = tenant

const operatorKey = await db.withTenant(tenant.tenantId, async (trx) => {
  const { tenantId, principalId } = tenant
  const made = {
    principalId,
    name: 'operator',
    scopes: ['specifications:write' as const, 'operator' as const],
  }
  return (await createKey(trx, tenantId, principalId, made)).secret
})

describe('PUT /v1/budgets', () => {
  it('sets a specification’s limit, which the list then shows', async () => {
    const json = { level: 'specification', specificationId, microUsd: 5_000_000 }
    const set = await call('PUT', '/v1/budgets', { key, json })
    expect(set.status).toBe(200)
    expect(set.json).toMatchObject({ limit: { microUsd: 5_000_000, tokens: null }, blocked: false })
    const shown = await call('GET', '/v1/budgets', { key })
    expect(shown.json).toMatchObject({
      data: [{ level: 'tenant/day' }, { level: 'tenant/month' }, { ...(set.json as object) }],
      nextCursor: null,
    })
  })

  it('of the whole tenant is for operators', async () => {
    const json = { level: 'tenant/month', microUsd: 50_000_000 }
    await refused('PUT', '/v1/budgets', { key, json }, 'SCOPE_MISSING')
    const set = await call('PUT', '/v1/budgets', { key: operatorKey, json })
    expect(set.json).toMatchObject({ limit: { microUsd: 50_000_000 } })
  })

  it.each([
    [{ microUsd: -1 }, 'microUsd'],
    [{ microUsd: 1.5 }, 'microUsd'],
    [{ microUsd: '5' }, 'microUsd'],
    [{ microUsd: 5_000_000, tokens: 0.5 }, 'tokens'],
    [{ microUsd: 1 }, 'microUsd'],
    [{ microUsd: 2 ** 53 }, 'microUsd'],
  ])('refuses %j with the field', async (limit, field) => {
    const json = { level: 'specification', specificationId, ...limit }
    const problem = await refused('PUT', '/v1/budgets', { key, json }, 'INPUT_INVALID')
    expect(JSON.stringify(problem)).toContain(field)
  })

  it('refuses a level without its specification, and a specification without its level', async () => {
    const [alone, extra] = [
      { level: 'specification', microUsd: 5_000_000 },
      { level: 'tenant/day', specificationId, microUsd: 5_000_000 },
    ]
    await refused('PUT', '/v1/budgets', { key: operatorKey, json: alone }, 'INPUT_INVALID')
    await refused('PUT', '/v1/budgets', { key: operatorKey, json: extra }, 'INPUT_INVALID')
  })
})
