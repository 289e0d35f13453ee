import { createKey } from '@almanac/db'
import { keyScopes, routes, type Operation } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queueRun, testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { addressOf, methodOf, operations, takesId } from './testing/foreign-ids.ts'
import { runQueued } from './testing/run-pipeline.ts'
import { testApi, type Sent } from './testing/test-api.ts'

const { call, refused, db } = await testApi()
const tenant = await testTenant(db)
const other = await testTenant(db, { name: 'Other tenant' })

/** A key of a tenant with these scopes, `operator` included when it is named. */
const keyWith = ({ tenantId, principalId }: typeof tenant, scopes: readonly string[]) =>
  db.withTenant(tenantId, async (trx) => {
    const named = keyScopes.filter((scope) => scopes.includes(scope))
    const key = { principalId, name: 'test', scopes: named }
    return (await createKey(trx, tenantId, principalId, key)).secret
  })
const everything = await keyWith(tenant, keyScopes)

/** Cursors of two and three parts, as lists that are sorted by more than an id make them. */
const handMade = [
  'a\u001fb',
  'a\u001fb\u001fc',
  '2026-01-01\u001f\u0000\u001fc',
  '2026-01-01\u001fx',
].map((parts) => Buffer.from(parts).toString('base64url'))

/** A request that is right in form, so that only what a test changes can be wrong with it. */
const rightForm = (operation: Operation): Sent => {
  const { takes, query } = routes[operation]
  const body = examples[operation]?.body
  return {
    ...(body === undefined ? {} : { json: body }),
    ...(takes === 'ndjson'
      ? { body: '', headers: { 'content-type': 'application/x-ndjson' } }
      : {}),
    ...(query.safeParse({}).success ? {} : { query: { source: 'federal-register' } }),
    ...(operation === 'changeSpecification' ? { headers: { 'if-match': '"1"' } } : {}),
  }
}

describe('every operation', () => {
  it('is there', () => {
    expect(operations.length).toBeGreaterThan(30)
  })

  it.each(operations)('%s refuses a request without a key', async (operation) => {
    const found = await refused(
      methodOf(operation),
      addressOf(operation),
      rightForm(operation),
      'KEY_MISSING',
    )
    expect(found.status).toBe(401)
  })

  it.each(operations)('%s refuses a key that nobody has', async (operation) => {
    for (const key of ['alm_nonsense', everything.slice(0, -1), `${everything}x`]) {
      const sent = { ...rightForm(operation), key }
      const found = await refused(methodOf(operation), addressOf(operation), sent, 'KEY_INVALID')
      expect(found.status).toBe(401)
    }
  })

  it.each(operations)('%s refuses a key without its scope', async (operation) => {
    const { scope } = routes[operation]
    const key = await keyWith(
      tenant,
      keyScopes.filter((one) => one !== scope),
    )
    const sent = { ...rightForm(operation), key }
    const found = await refused(methodOf(operation), addressOf(operation), sent, 'SCOPE_MISSING')
    expect(found.status).toBe(403)
    expect(found.params).toMatchObject({ needed: scope })
  })

  it.each(operations.filter(takesId))(
    '%s finds nothing under an id of nobody',
    async (operation) => {
      const sent = { ...rightForm(operation), key: everything }
      const found = await refused(methodOf(operation), addressOf(operation), sent, 'NOT_FOUND')
      expect(found.status).toBe(404)
    },
  )

  it.each(operations.filter(takesId))('%s refuses an id that is none', async (operation) => {
    for (const id of [
      '7',
      '..%2f..%2fetc%2fpasswd',
      'run_',
      'spec_01KAFZ7V3BE8PAW2Y8M4X1QD0N',
      'x'.repeat(300),
    ]) {
      const sent = { ...rightForm(operation), key: everything }
      const address = addressOf(operation, id)
      const found = await refused(methodOf(operation), address, sent, 'INPUT_INVALID')
      expect(found.status).toBe(422)
      expect(fieldsOf(found.params)).toEqual(['path.id'])
    }
  })

  it.each(operations)('%s names every wrong part of a request at once', async (operation) => {
    const { method, takes } = routes[operation]
    const sent: Sent = {
      ...rightForm(operation),
      key: everything,
      query: { nonsense: '1', further: '2' },
      ...(method === 'get' || takes === 'ndjson' ? {} : { json: wrongBody(operation) }),
    }
    const id = takesId(operation) ? 'nonsense' : undefined
    const address = addressOf(operation, id)
    const found = await refused(methodOf(operation), address, sent, 'INPUT_INVALID')
    const fields = fieldsOf(found.params)
    expect(fields).toEqual(expect.arrayContaining(['query.nonsense', 'query.further']))
    if (takesId(operation)) expect(fields).toContain('path.id')
    // A patch may name any field; what the whole becomes is checked against the specification.
    if (method !== 'get' && takes !== 'ndjson' && operation !== 'changeSpecification')
      expect(fields.some((field) => !/^(path|query)\./.test(field))).toBe(true)
  })

  it.each(operations.filter((operation) => 'limit' in shapeOf(operation)))(
    '%s bounds its pages and refuses a cursor that is none',
    async (operation) => {
      const address = addressOf(operation, tenant.specificationId)
      for (const limit of ['0', '101', '1.5', 'many', '', '1e9', '-1']) {
        const sent = { key: everything, query: { limit } }
        const found = await refused('GET', address, sent, 'INPUT_INVALID')
        expect(fieldsOf(found.params)).toEqual(['query.limit'])
      }
      const page = await call('GET', address, { key: everything, query: { limit: '1' } })
      expect(page.status).toBe(200)
      for (const cursor of ['nonsense', '', 'x'.repeat(200), ...handMade]) {
        const { status } = await call('GET', address, { key: everything, query: { cursor } })
        expect([200, 422]).toContain(status)
      }
    },
  )
})

describe('another tenant', () => {
  it('finds none of what is there', async () => {
    const runId = await queueRun(db, tenant, { period: '2026-W40' })
    expect(await runQueued(db, tenant.tenantId)).toBe(1)
    const artifacts = await call('GET', `/v1/runs/${runId}/artifacts`, { key: everything })
    const { data } = z.object({ data: z.array(z.object({ id: z.string() })) }).parse(artifacts.json)
    const mine: Record<string, string> = {
      specifications: tenant.specificationId,
      runs: runId,
      artifacts: data[0]?.id ?? '',
      keys: `key_${tenant.key.slice(4, 30)}`,
    }
    const foreign = await keyWith(other, keyScopes)
    for (const operation of operations.filter(takesId)) {
      const [, noun = ''] = /^\/v1\/([a-z]+)\/:id/.exec(routes[operation].path) ?? []
      const address = addressOf(operation, mine[noun])
      const sent = { ...rightForm(operation), key: foreign }
      const found = await refused(methodOf(operation), address, sent, 'NOT_FOUND')
      expect(found.status).toBe(404)
    }
    for (const operation of ['listRuns', 'listArtifacts', 'listEvidence'] as const) {
      const { json } = await call('GET', addressOf(operation), { key: foreign })
      expect(json).toEqual({ data: [], nextCursor: null })
    }
  })
})

const fieldsOf = (params: unknown): string[] =>
  z
    .object({ issues: z.array(z.object({ field: z.string(), message: z.string().min(3) })) })
    .parse(params)
    .issues.map(({ field }) => field)

/** A body with an unknown field, and with every known one of a wrong type. */
function wrongBody(operation: Operation): unknown {
  const known = Object.keys((examples[operation]?.body as object | undefined) ?? {})
  return { nonsense: true, ...Object.fromEntries(known.map((name) => [name, { not: 'this' }])) }
}

function shapeOf(operation: Operation): object {
  const { query } = routes[operation]
  return query instanceof z.ZodObject ? query.shape : {}
}
