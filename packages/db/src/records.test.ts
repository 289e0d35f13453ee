import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../test/support/postgres.ts'
import { toRecords } from './records.ts'

const { url } = await testDatabase()
const client = new Client({ connectionString: url })
beforeAll(async () => {
  await client.connect()
  await client.query(
    'create type pg_temp.sample as (words text, flag boolean, count bigint, detail jsonb, rest text)',
  )
})
afterAll(() => client.end())

// Postgres keeps no NUL in a text.
const words = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
const hostile = fc.constantFrom(
  '',
  ' ',
  'null',
  'NULL',
  '\\',
  '"',
  '","',
  ')"',
  '{}',
  "'",
  '\n',
  'a,b',
  '(',
  '\\"',
)
const text = fc.option(
  fc.oneof(words, hostile, fc.string({ unit: fc.constantFrom('"', '\\', ',', 'x') })),
)
// Keys without escapes: V8 13.6 (Node 24.21) takes `\"` for the key `\\` where it has just read an object with that.
const sample = fc.tuple(
  text,
  fc.option(fc.boolean()),
  fc.option(fc.maxSafeInteger()),
  fc.option(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.stringMatching(/^[ -~]*$/))),
  text,
)

describe('records', () => {
  it('are read by Postgres as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { maxLength: 20 }), async (rows) => {
        const { rows: read } = await client.query<Record<string, unknown>>(
          'select words, flag, count::float8, detail, rest from unnest($1::pg_temp.sample[])',
          [toRecords(rows)],
        )
        expect(read.map((row) => Object.values(row))).toEqual(rows)
      }),
      { numRuns: 500 },
    )
  })

  it('leave out what is undefined, as null', async () => {
    const { rows } = await client.query('select * from unnest($1::pg_temp.sample[])', [
      toRecords([[undefined, true, 1, undefined, 'x']]),
    ])
    expect(rows).toEqual([{ words: null, flag: true, count: '1', detail: null, rest: 'x' }])
  })
})
