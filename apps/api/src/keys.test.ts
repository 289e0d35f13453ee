import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant } from '../../../test/support/postgres.ts'
import { testApi } from './testing/test-api.ts'

const limits = { keyCacheMs: 5_000 }
const { call, refused, db, superuser } = await testApi({ limits })
const tenant = await testTenant(db)
const { key } = tenant
const newKey = z.object({ id: z.string(), secret: z.string() })

const create = async (json: object) =>
  newKey.parse((await call('POST', '/v1/keys', { key, json })).json)

describe('a key', () => {
  it('says whose it is, and what was bought', async () => {
    const { json } = await call('GET', '/v1/me', { key })
    expect(json).toMatchObject({
      tenantId: tenant.tenantId,
      tenantName: 'Test tenant',
      principalId: tenant.principalId,
      entitlement: { fastestCadence: 'daily' },
    })
  })

  it('is shown once, and ends at once when it is revoked', async () => {
    const { id, secret } = await create({ name: 'short-lived', scopes: ['runs:read'] })
    expect((await call('GET', '/v1/runs', { key: secret })).status).toBe(200)
    const listed = await call('GET', '/v1/keys', { key })
    expect(listed.text).not.toContain(secret)
    expect(listed.text).toContain(id)
    expect((await call('DELETE', `/v1/keys/${id}`, { key })).status).toBe(200)
    await refused('GET', '/v1/runs', { key: secret }, 'KEY_INVALID')
  })

  it('cannot make one that may do more than itself', async () => {
    const { secret } = await create({ name: 'maker', scopes: ['keys:write', 'runs:read'] })
    const json = { name: 'more', scopes: ['runs:read', 'runs:write', 'operator'] }
    const found = await refused('POST', '/v1/keys', { key: secret, json }, 'SCOPE_MISSING')
    expect(found.params).toEqual({
      needed: 'runs:write, operator',
      has: 'keys:write, runs:read',
    })
  })

  it('ends at its instant, which lies in the future', async () => {
    const past = { name: 'past', scopes: ['runs:read'], expiresAt: '2020-01-01T00:00:00Z' }
    await refused('POST', '/v1/keys', { key, json: past }, 'INPUT_INVALID')
    const { id, secret } = await create({
      ...past,
      name: 'future',
      expiresAt: '2999-01-01T00:00:00Z',
    })
    await superuser(`update keys set expires_at = '2026-01-01T00:00:00Z' where id = $1`, [id])
    const found = await refused('GET', '/v1/runs', { key: secret }, 'KEY_EXPIRED')
    expect(found.detail).toBe('The API key expired at 2026-01-01T00:00:00.000Z.')
  })

  it('notes its last use, once a minute', async () => {
    const { id, secret } = await create({ name: 'used', scopes: ['runs:read'] })
    const lastUse = async () =>
      (
        await superuser<{ at: Date | null }>('select last_used_at as at from keys where id = $1', [
          id,
        ])
      )[0]?.at
    expect(await lastUse()).toBeNull()
    await call('GET', '/v1/runs', { key: secret })
    await expect.poll(lastUse).not.toBeNull()
    const first = await lastUse()
    await call('GET', '/v1/runs', { key: secret })
    await call('GET', '/v1/keys', { key })
    expect(await lastUse()).toEqual(first)
  })

  it('is read from the header in its usual forms only', async () => {
    for (const authorization of ['', 'Basic YTpi', key, 'Bearer', `Bearer ${key} more`])
      await refused('GET', '/v1/runs', { headers: { authorization } }, 'KEY_MISSING')
    const { status } = await call('GET', '/v1/runs', {
      headers: { authorization: `bearer  ${key}` },
    })
    expect(status).toBe(200)
    const { headers } = await call('GET', '/v1/runs')
    expect(headers.get('www-authenticate')).toBe('Bearer realm="almanac"')
  })

  it('of a suspended tenant may look and change nothing', async () => {
    const suspended = await testTenant(db, { name: 'Suspended' })
    await superuser(`update tenants set state = 'suspended' where id = $1`, [suspended.tenantId])
    expect((await call('GET', '/v1/runs', { key: suspended.key })).status).toBe(200)
    const json = { specificationId: suspended.specificationId }
    const sent = { key: suspended.key, json }
    expect((await refused('POST', '/v1/runs', sent, 'TENANT_SUSPENDED')).status).toBe(403)
  })
})
