import { AlmanacError } from '@almanac/domain'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant } from '../../../test/support/postgres.ts'
import { apiLimits } from './parts.ts'
import { testApi } from './testing/test-api.ts'

const { call, refused, db, lines, url } = await testApi()
const { key, tenantId } = await testTenant(db)
const json = { 'content-type': 'application/json' }
const source = (name: string) => ({ key, json: { name } })

describe('a JSON body', () => {
  it.each([
    ['{', 'expected property name or'],
    ['{"name":"abc', 'unterminated string'],
    ['undefined', 'it is another text'],
    ['{"name":\u0001}', 'unexpected token'],
    ['', undefined],
  ])('that is %j is refused without being quoted', async (body, reason) => {
    const sent = { key, headers: json, body }
    if (reason === undefined) {
      const found = await refused('POST', '/v1/sources', sent, 'INPUT_INVALID')
      expect(found.detail).toBe('name: is missing; it must be a text')
      return
    }
    const found = await refused('POST', '/v1/sources', sent, 'BODY_NOT_JSON')
    expect(found.status).toBe(400)
    expect(found.detail).toContain(reason)
    expect(found.detail).not.toContain('abc')
  })

  it.each([['[]'], ['"text"'], ['7'], ['null']])('that is %s is no object', async (body) => {
    const found = await refused(
      'POST',
      '/v1/sources',
      { key, headers: json, body },
      'INPUT_INVALID',
    )
    expect(found.params).toMatchObject({
      issues: [{ field: expect.stringMatching(/^(body|name)$/) }],
    })
  })

  it('may be absent where nothing in it is required', async () => {
    const { specificationId } = await testTenant(db, { name: 'Another' })
    const path = `/v1/specifications/${specificationId}/pause`
    await refused('POST', path, { key }, 'NOT_FOUND')
  })

  it('is refused in another media type, charset or encoding', async () => {
    const body = '{"name":"x"}'
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/xml' },
      { 'content-type': 'application/json; charset=iso-8859-1' },
      { ...json, 'content-encoding': 'compress' },
    ]) {
      const sent = { key, headers: headers as Record<string, string>, body }
      const found = await refused('POST', '/v1/sources', sent, 'MEDIA_TYPE_UNSUPPORTED')
      expect(found.status).toBe(415)
    }
  })

  it('is refused beyond its limit, compressed or not', async () => {
    const long = JSON.stringify({ name: 'x'.repeat(apiLimits.jsonBytes) })
    for (const sent of [
      { key, headers: json, body: long },
      { key, headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(long) },
    ]) {
      const found = await refused('POST', '/v1/sources', sent, 'BODY_TOO_LARGE')
      expect(found.status).toBe(413)
      expect(found.params).toEqual({ limitBytes: apiLimits.jsonBytes })
    }
  })

  it('is refused when its compression is broken', async () => {
    for (const encoding of ['gzip', 'deflate', 'br']) {
      const sent = { key, headers: { ...json, 'content-encoding': encoding }, body: 'neither' }
      await refused('POST', '/v1/sources', sent, 'BODY_NOT_JSON')
    }
  })

  it('may be compressed', async () => {
    const body = gzipSync(JSON.stringify({ name: 'compressed' }))
    const sent = { key, headers: { ...json, 'content-encoding': 'gzip' }, body }
    expect((await call('POST', '/v1/sources', sent)).status).toBe(201)
  })

  it('is refused when it holds what no text can', async () => {
    for (const name of ['a\u0000b', 'a\ud800b', '\u001b[31mred', 'two\nlines', '  ']) {
      const found = await refused('POST', '/v1/sources', source(name), 'INPUT_INVALID')
      expect(found.params).toMatchObject({ issues: [{ field: 'name' }] })
    }
  })

  it('is refused when it nests without end', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    for (const body of [deep, `{"name":${deep}}`, `{"mapping":{"attributes":${deep}}}`]) {
      const sent = { key, headers: json, body }
      const found = await refused('POST', '/v1/sources', sent, 'INPUT_INVALID')
      expect(found.detail).toContain('must not nest more than')
    }
  })

  it('cannot reach a prototype', async () => {
    const body = '{"name":"proto","__proto__":{"admin":true},"constructor":{"prototype":{"a":1}}}'
    const found = await refused(
      'POST',
      '/v1/sources',
      { key, headers: json, body },
      'INPUT_INVALID',
    )
    expect(found.params).toMatchObject({
      issues: expect.arrayContaining([expect.objectContaining({ field: 'constructor' })]),
    })
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('has all its problems named at once, with what was found and what is allowed', async () => {
    const body = {
      kind: 'report',
      name: ' ',
      industry: 'us-regulation',
      deliverables: ['final-rules', 'nonsense'],
      regions: ['atlantis'],
      links: ['aviation', 'aviation'],
      sources: [],
      cadence: 'hourly',
      timeZone: '+02:00',
      budget: { microUsd: -1 },
      nonsense: 1,
    }
    const found = await refused('POST', '/v1/specifications', { key, json: body }, 'INPUT_INVALID')
    const { issues } = z
      .object({ issues: z.array(z.looseObject({ field: z.string(), message: z.string() })) })
      .parse(found.params)
    expect(issues.map(({ field }) => field).sort()).toEqual(
      [
        'name',
        'title',
        'cadence',
        'timeZone',
        'budget.microUsd',
        'sources',
        'links',
        'nonsense',
        'deliverables.1',
        'regions.0',
      ].sort(),
    )
    expect(issues).toContainEqual({
      field: 'cadence',
      message: 'must be daily, weekly, monthly or on_demand',
      value: '"hourly"',
    })
    expect(issues.find(({ field }) => field === 'deliverables.1')).toMatchObject({
      value: '"nonsense"',
      message: expect.stringContaining('final-rules, proposed-rules'),
    })
  })

  it.each([
    [{ industry: 'nonsense' }, 'industry'],
    [{ industryVersion: '9.9.9' }, 'industryVersion'],
    [{ kind: 'poem' }, 'kind'],
  ])('cannot name what no catalogue has: %j', async (change, field) => {
    const { examples } = await import('./docs/examples.ts')
    const sent = { key, json: { ...examples.createSpecification?.body, ...change } }
    const found = await refused('POST', '/v1/specifications', sent, 'INPUT_INVALID')
    expect(found.params).toMatchObject({ issues: [{ field }] })
  })
})

describe('an address', () => {
  it('that is none is not found, and not repeated', async () => {
    for (const path of [
      '/',
      '/v2/runs',
      '/v1/nonsense',
      '/v1/runs/%E0%A4%A',
      '/.env',
      '/docs/..%2fx',
    ])
      expect((await refused('GET', path, { key }, 'NOT_FOUND')).detail).not.toContain('nonsense')
  })

  it('takes only its methods, and says which', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await call(method, '/v1/runs', { key })
      expect(status).toBe(405)
      expect(headers.get('allow')).toBe('POST, GET, HEAD')
    }
    const { status, headers } = await call('OPTIONS', '/v1/runs')
    expect([status, headers.get('allow')]).toEqual([204, 'POST, GET, HEAD'])
    expect((await call('HEAD', '/v1/runs', { key })).status).toBe(200)
  })

  it('is answered with headers that let a browser do nothing', async () => {
    const { headers } = await call('GET', '/v1/runs', { key })
    expect(headers.get('content-security-policy')).toContain(`default-src 'none'`)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('what goes wrong inside', () => {
  it('is told by code alone, and logged with its cause', async () => {
    const broken = await testApi({
      db: {
        ...db,
        withTenant: () =>
          Promise.reject(new Error('relation "runs" does not exist at /etc/passwd')),
      },
    })
    const found = await broken.refused('GET', '/v1/runs', { key }, 'INTERNAL')
    expect(found).toMatchObject({ status: 500, retryable: true, params: {} })
    const line = broken.lines.find(({ level }) => level === 'error')
    expect(line).toMatchObject({ code: 'INTERNAL', requestId: found.requestId })
    expect(String(line?.['err'])).toContain('relation')
  })

  it('does not tell callers where the database is', async () => {
    const where = 'db.internal:5432'
    const reason = 'the connection was refused'
    const gone = () => Promise.reject(new AlmanacError('DATABASE_UNREACHABLE', { where, reason }))
    const broken = await testApi({ db: { ...db, withTenant: gone } })
    const { status, headers, text } = await broken.call('GET', '/v1/runs', { key })
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('1')
    expect(text).toContain('Postgres at its address cannot be reached')
    expect(text).not.toContain('db.internal')
  })

  it('is noticed when an answer does not fit its schema', async () => {
    const answers = () => Promise.resolve({ data: [], nextCursor: null, secret: 'x' })
    const broken = await testApi({ db: { ...db, withTenant: answers as never } })
    await broken.refused('GET', '/v1/runs', { key }, 'INTERNAL')
  })

  it('logs no key and no query', async () => {
    await call('GET', '/v1/runs', { key, query: { externalId: 'very-private' } })
    const text = JSON.stringify(lines)
    expect(text).not.toContain(key)
    expect(text).not.toContain('very-private')
    expect(lines).toContainEqual(
      expect.objectContaining({ route: '/v1/runs', status: 200, tenantId, method: 'GET' }),
    )
  })

  it('survives a caller that hangs up in the middle of a body', async () => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /v1/sources HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 500\r\nexpect: 100-continue\r\n\r\n{"name":`,
    )
    const before = lines.length
    // The server has the head and waits for the rest.
    socket.once('data', () => socket.destroy())
    await expect
      .poll(() => lines.slice(before).some((line) => line['aborted'] === true), { timeout: 10_000 })
      .toBe(true)
    expect(lines.slice(before).filter(({ level }) => level === 'error')).toEqual([])
    expect((await call('GET', '/v1/runs', { key })).status).toBe(200)
  })
})
