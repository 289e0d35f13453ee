import { createKey } from '@almanac/db'
import { keyScopes, routes } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { addressOf, methodOf, operations, takesId } from './testing/foreign-ids.ts'
import { testApi } from './testing/test-api.ts'

const { call, db } = await testApi()
const tenant = await testTenant(db)
const { tenantId, principalId } = tenant
const key = await db.withTenant(tenantId, async (trx) => {
  const all = { principalId, name: 'all', scopes: [...keyScopes] }
  return (await createKey(trx, tenantId, principalId, all)).secret
})

/** Texts that have been known to reach where they should not. */
const nasty = fc.constantFrom(
  '\u0000',
  '\ud800',
  `'; drop table runs; --`,
  '../../etc/passwd',
  '2022-W10',
  '9999-W99',
  '-1',
  '1e400',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
  '',
  ' ',
  'true',
  '\u202e',
  '__proto__',
  '*',
)
const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 40 }))
const cursor = fc
  .array(text, { minLength: 1, maxLength: 4 })
  .map((parts) => Buffer.from(parts.join('\u001f')).toString('base64url').slice(0, 200))
const query = fc.dictionary(
  fc.constantFrom(
    ...['limit', 'cursor', 'state', 'specificationId', 'period', 'externalId', 'test'],
    ...['format', 'source', 'from', 'to', 'after', 'revision'],
  ),
  fc.oneof(text, cursor),
  { maxKeys: 4 },
)
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  text.map((value) => ({ name: value, reason: value, period: value })),
)

describe('any input', () => {
  it.each(operations)('gets an answer of %s that is nobody’s fault inside', async (operation) => {
    const { method, takes } = routes[operation]
    const example = (examples[operation]?.body ?? {}) as Record<string, unknown>
    const id = fc.oneof(
      fc.constantFrom(tenant.specificationId, addressOf(operation).split('/')[3] ?? 'x'),
      text.map(encodeText),
    )
    await fc.assert(
      fc.asyncProperty(
        id,
        query,
        json,
        fc.boolean(),
        text,
        async (one, asked, value, mix, word) => {
          const mixed = mix ? { ...example, ...(value as object), name: word } : value
          const { status } = await call(
            methodOf(operation),
            addressOf(operation, takesId(operation) ? one || 'x' : undefined),
            {
              key,
              query: asked,
              headers: {
                ...(operation === 'changeSpecification' ? { 'if-match': '"1"' } : {}),
                ...(operation === 'streamRunEvents' ? { accept: 'application/json' } : {}),
                ...(takes === 'ndjson' ? { 'content-type': 'application/x-ndjson' } : {}),
              },
              ...(method === 'get' ? {} : takes === 'ndjson' ? { body: word } : { json: mixed }),
            },
          )
          expect(status).toBeLessThan(500)
        },
      ),
      { numRuns: 40 },
    )
  })
})

/** As a path's segment, where half a surrogate pair cannot stand. */
const encodeText = (value: string): string => encodeURIComponent(value.toWellFormed())
