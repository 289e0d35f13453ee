import { createClient } from '@almanac/client'
import { importResult } from '@almanac/domain'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { gzipSync } from 'node:zlib'
import { testTenant } from '../../../test/support/postgres.ts'
import { federalRules, hasFederalRules, withoutFederalRules } from '../../../test/support/sample.ts'
import { testApi, type Sent } from './testing/test-api.ts'

const limits = { importBytes: 4_000_000, lineBytes: 100_000 }
const { call, refused, db, url } = await testApi({ limits })
const { key } = await testTenant(db)
const ndjson = { 'content-type': 'application/x-ndjson' }

const item = (n: number, change: object = {}) =>
  JSON.stringify({
    id: `item-${n}`,
    publishedAt: '2026-03-07T05:00:00Z',
    title: `Rule ${n}`,
    agency: 'FAA',
    ...change,
  })

const importLines = async (source: string, body: Sent['body'], headers = {}) => {
  const sent = { key, query: { source }, headers: { ...ndjson, ...headers }, body: body ?? '' }
  const answer = await call('POST', '/v1/evidence', sent)
  expect(answer.status).toBe(200)
  return importResult.parse(answer.json)
}

describe('an import', () => {
  it('tells new, changed and unchanged items apart', async () => {
    const lines = (title?: string) =>
      [1, 2, 3].map((n) => item(n, n === 2 && title ? { title } : {})).join('\n')
    const counts = { source: 'plain', lines: 3, refused: 0, problems: [] }
    expect(await importLines('plain', lines())).toEqual({
      ...counts,
      new: 3,
      changed: 0,
      unchanged: 0,
    })
    expect(await importLines('plain', lines())).toEqual({
      ...counts,
      new: 0,
      changed: 0,
      unchanged: 3,
    })
    expect(await importLines('plain', lines('Corrected'))).toEqual({
      ...counts,
      new: 0,
      changed: 1,
      unchanged: 2,
    })
    const { json } = await call('GET', '/v1/evidence', { key, query: { source: 'plain' } })
    expect(json).toMatchObject({
      data: expect.arrayContaining([
        expect.objectContaining({
          id: 'plain/item-2',
          revision: 2,
          title: 'Corrected',
          attributes: { agency: 'FAA' },
          url: null,
        }),
      ]),
    })
  })

  it('keeps good lines and names the bad ones by number', async () => {
    const body = [
      item(1),
      '',
      '{"id":',
      item(2, { title: 7, url: 'javascript:alert(1)' }),
      '[1]',
      item(3, { text: 'x'.repeat(limits.lineBytes) }),
      item(4, { publishedAt: 'yesterday' }),
      '   \r',
      `${item(5)}\r`,
    ].join('\n')
    const result = await importLines('mixed', body)
    expect(result).toMatchObject({ lines: 7, new: 2, refused: 5 })
    expect(result.problems.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7])
    const reasons = result.problems.map(({ reason }) => reason)
    expect(reasons[1]).toMatch(/title: .*url: must be an http or https address/)
    expect(reasons[3]).toBe('the line is longer than an import reads')
  })

  it('refuses lines that are not UTF-8, and passes over a byte order mark', async () => {
    const body = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from(`${item(1)}\n`),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(item(2)),
    ])
    const result = await importLines('bytes', body)
    expect(result).toMatchObject({
      new: 2,
      refused: 1,
      problems: [{ line: 2, reason: 'the line is not UTF-8' }],
    })
  })

  it('names the first hundred bad lines only, and counts all', async () => {
    const result = await importLines('hopeless', 'x\n'.repeat(250))
    expect(result).toMatchObject({ lines: 250, refused: 250, new: 0 })
    expect(result.problems).toHaveLength(100)
  })

  it('reads by the source’s mapping', async () => {
    const mapping = { itemId: 'nr', publishedAt: 'day', title: 'headline', attributes: ['docket'] }
    const json = { name: 'mapped', mapping }
    expect((await call('POST', '/v1/sources', { key, json })).status).toBe(201)
    const line = { nr: 7, day: '2026-03-07', headline: 'A rule', docket: 'D-1', other: 'x' }
    expect(await importLines('mapped', JSON.stringify(line))).toMatchObject({ new: 1 })
    const { json: list } = await call('GET', '/v1/evidence', { key, query: { source: 'mapped' } })
    expect(list).toMatchObject({
      data: [{ itemId: '7', title: 'A rule', attributes: { docket: 'D-1' } }],
    })
    const { json: sources } = await call('GET', '/v1/sources', { key })
    expect(sources).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ name: 'mapped', items: 1 })]),
    })
  })

  it('may be compressed', async () => {
    const body = gzipSync([item(1), item(2)].join('\n'))
    expect(await importLines('gzip', body, { 'content-encoding': 'gzip' })).toMatchObject({
      new: 2,
    })
    const broken = { ...ndjson, 'content-encoding': 'gzip' }
    const query = { source: 'gzip' }
    const sent = { key, query, headers: broken, body: 'neither' }
    await refused('POST', '/v1/evidence', sent, 'BODY_NOT_JSON')
  })

  it('is read while it arrives, in pieces that end anywhere', async () => {
    const bytes = Buffer.from(
      Array.from({ length: 1_300 }, (_, i) => item(i, { title: `Règle ${i} – €` })).join('\n'),
    )
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 997)
          controller.enqueue(bytes.subarray(at, at + 997))
        controller.close()
      },
    })
    expect(await importLines('pieces', pieces)).toMatchObject({ lines: 1_300, new: 1_300 })
  })

  it('stops at its limit, and keeps what came before', async () => {
    const line = `${item(1, { text: 'x'.repeat(50_000) })}\n`
    const bomb = gzipSync(line.repeat(200))
    const sent = (headers: Record<string, string>, body: Sent['body']): Sent => ({
      key,
      query: { source: 'large' },
      headers: { ...ndjson, ...headers },
      body: body ?? '',
    })
    const zipped = sent({ 'content-encoding': 'gzip' }, bomb)
    const found = await refused('POST', '/v1/evidence', zipped, 'BODY_TOO_LARGE')
    expect([found.status, found.params]).toEqual([413, { limitBytes: limits.importBytes }])
    const { json } = await call('GET', '/v1/evidence', { key, query: { source: 'large' } })
    expect(json).toMatchObject({ data: [{ itemId: 'item-1' }] })
    await refused('POST', '/v1/evidence', sent({}, line.repeat(200)), 'BODY_TOO_LARGE')
  })

  it('takes lines of JSON only', async () => {
    for (const type of ['application/json', 'text/csv', 'multipart/form-data']) {
      const sent = { key, query: { source: 'x' }, headers: { 'content-type': type }, body: 'x' }
      await refused('POST', '/v1/evidence', sent, 'MEDIA_TYPE_UNSUPPORTED')
    }
    const { json } = await call('GET', '/v1/sources', { key })
    expect(JSON.stringify(json)).not.toContain('"name":"x"')
  })

  it('is sent by the client from a generator', async () => {
    const client = createClient({ url, key })
    async function* body() {
      for (let n = 0; n < 10; n += 1) yield new TextEncoder().encode(`${item(n)}\n`)
    }
    const result = await client.importEvidence({ query: { source: 'client' }, body: body() })
    expect(result).toMatchObject({ new: 10 })
  })
})

describe('the list of items', () => {
  it('is paged, newest first, within a window', async () => {
    const days = ['01', '02', '03', '04', '05']
    const lines = days.map((day, n) => item(n, { publishedAt: `2026-05-${day}T00:00:00Z` }))
    await importLines('paged', lines.join('\n'))
    const page = z.object({
      data: z.array(z.object({ itemId: z.string() })),
      nextCursor: z.string().nullable(),
    })
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: Record<string, string> = {
        source: 'paged',
        limit: '2',
        from: '2026-05-02T00:00:00Z',
        to: '2026-05-05T00:00:00Z',
        ...(cursor === null ? {} : { cursor }),
      }
      const { data, nextCursor } = page.parse(
        (await call('GET', '/v1/evidence', { key, query })).json,
      )
      seen.push(...data.map(({ itemId }) => itemId))
      cursor = nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(['item-3', 'item-2', 'item-1'])
  })
})

describe.skipIf(!hasFederalRules)(
  hasFederalRules ? `the rules of 2022` : withoutFederalRules,
  () => {
    it('are all imported, once', async () => {
      const body = readFileSync(federalRules)
      const first = await importLines('federal', body)
      expect(first).toMatchObject({ lines: 5_982, new: 5_982, refused: 0 })
      const second = await importLines('federal', body)
      expect(second).toMatchObject({ lines: 5_982, new: 0, changed: 0, unchanged: 5_982 })
    })
  },
)
