import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { runQueued } from './testing/run-pipeline.ts'
import { testApi } from './testing/test-api.ts'

const { call, refused, db, superuser } = await testApi()
const tenant = await testTenant(db)
const { key, specificationId } = tenant
const idOf = (json: unknown) => z.object({ id: z.string() }).parse(json).id
const withKey = (name: string, json: unknown = { name: `source ${name}` }) => ({
  key,
  json,
  headers: { 'idempotency-key': name },
})

describe('Idempotency-Key', () => {
  it('answers a repeated request as the first one, and does nothing', async () => {
    const first = await call('POST', '/v1/sources', withKey('one'))
    const second = await call('POST', '/v1/sources', withKey('one'))
    expect(first.status).toBe(201)
    expect(second.status).toBe(201)
    expect(second.json).toEqual(first.json)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
  })

  it('replays headers too', async () => {
    const sent = withKey('run', { specificationId, period: '2026-W40' })
    const first = await call('POST', '/v1/runs', sent)
    const second = await call('POST', '/v1/runs', sent)
    expect(second.headers.get('location')).toBe(`/v1/runs/${idOf(first.json)}`)
    expect(await runQueued(db, tenant.tenantId)).toBe(1)
  })

  it('refuses another body, and another id in the path', async () => {
    await call('POST', '/v1/sources', withKey('two'))
    const found = await refused(
      'POST',
      '/v1/sources',
      withKey('two', { name: 'something else' }),
      'IDEMPOTENCY_KEY_REUSED',
    )
    expect(found.status).toBe(422)
  })

  it('belongs to one tenant and one operation', async () => {
    const body = examples.createSpecification?.body
    expect((await call('POST', '/v1/sources', withKey('three'))).status).toBe(201)
    expect((await call('POST', '/v1/specifications', withKey('three', body))).status).toBe(201)
    const other = await testTenant(db, { name: 'Other' })
    const sent = { ...withKey('three'), key: other.key }
    const answer = await call('POST', '/v1/sources', sent)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('idempotency-replayed')).toBeNull()
  })

  it('lets one of many requests at once through', async () => {
    const sent = withKey('crowd')
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => call('POST', '/v1/sources', sent)),
    )
    const done = answers.filter(({ status }) => status === 201)
    const refusals = answers.filter(({ status }) => status !== 201)
    expect(done.filter(({ headers }) => !headers.has('idempotency-replayed'))).toHaveLength(1)
    expect(new Set(done.map(({ json }) => idOf(json))).size).toBe(1)
    for (const { status, json } of refusals)
      expect([status, json]).toEqual([
        409,
        expect.objectContaining({ code: 'IDEMPOTENCY_IN_PROGRESS' }),
      ])
    const [row] = await superuser<{ n: string }>(
      `select count(*) as n from sources where name = 'source crowd'`,
    )
    expect(Number(row?.n)).toBe(1)
  })

  it('says that the first request is still running', async () => {
    await call('POST', '/v1/sources', withKey('slow'))
    await superuser(`update idempotency_keys set status = null, response = null where key = 'slow'`)
    const found = await refused('POST', '/v1/sources', withKey('slow'), 'IDEMPOTENCY_IN_PROGRESS')
    expect(found).toMatchObject({ status: 409, retryable: true })
  })

  it('is forgotten when nothing was done', async () => {
    const name = { name: 'taken' }
    await call('POST', '/v1/sources', { key, json: name })
    await refused('POST', '/v1/sources', withKey('four', name), 'NAME_TAKEN')
    await superuser(`update sources set name = 'freed' where name = 'taken'`)
    const answer = await call('POST', '/v1/sources', withKey('four', name))
    expect(answer.status).toBe(201)
    expect(answer.headers.get('idempotency-replayed')).toBeNull()
  })

  it('is used anew after a day', async () => {
    const first = await call('POST', '/v1/sources', withKey('old'))
    await superuser(
      `update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`,
    )
    await superuser(`delete from sources where id = $1`, [idOf(first.json)])
    const second = await call('POST', '/v1/sources', withKey('old'))
    expect(idOf(second.json)).not.toBe(idOf(first.json))
  })

  it('must be a short visible text', async () => {
    for (const name of ['a b', 'x'.repeat(201), '\u00e4']) {
      const sent = { ...withKey('x'), headers: { 'idempotency-key': name } }
      const found = await refused('POST', '/v1/sources', sent, 'INPUT_INVALID')
      expect(found.params).toMatchObject({ issues: [{ field: 'header.idempotency-key' }] })
    }
  })
})
