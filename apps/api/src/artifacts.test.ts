import { createClient } from '@almanac/client'
import { stylesheet } from '@almanac/documents'
import { artifactResource, mediaTypeOf, type ArtifactResource } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { createHash } from 'node:crypto'
import { parse } from 'parse5'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queueRun, testTenant } from '../../../test/support/postgres.ts'
import { importSample } from './testing/import-sample.ts'
import { runQueued } from './testing/run-pipeline.ts'
import { send, testApi } from './testing/test-api.ts'

const { call, refused, db, url, superuser } = await testApi()
const tenant = await testTenant(db)
const { key } = tenant
await importSample(db, tenant)
const runId = await queueRun(db, tenant, { period: '2026-W40' })
await runQueued(db, tenant.tenantId)

const artifacts = z
  .object({ data: z.array(artifactResource) })
  .parse((await call('GET', `/v1/runs/${runId}/artifacts`, { key })).json).data
const of = (format: ArtifactResource['format']): ArtifactResource => {
  const found = artifacts.find((artifact) => artifact.format === format)
  if (!found) throw new Error(`no ${format}`)
  return found
}
const bytesOf = async (path: string, headers: Record<string, string> = {}) => {
  const response = await send(url, 'GET', path, { key, headers })
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) }
}

describe('the artifacts of a run', () => {
  it('are one a format, listed and filtered', async () => {
    expect(artifacts.map(({ format }) => format).sort()).toEqual(['html', 'json', 'markdown'])
    const { json } = await call('GET', '/v1/artifacts', {
      key,
      query: { format: 'html', period: '2026-W40', specificationId: tenant.specificationId },
    })
    expect(json).toEqual({ data: [of('html')], nextCursor: null })
  })

  it.each(artifacts)('$format comes as its bytes, to be kept for ever', async (artifact) => {
    const { response, bytes } = await bytesOf(`/v1/artifacts/${artifact.id}`)
    expect(response.status).toBe(200)
    expect(sha256(bytes)).toBe(artifact.sha256)
    expect(bytes.length).toBe(artifact.bytes)
    const { headers } = response
    expect(headers.get('etag')).toBe(`"${artifact.sha256}"`)
    expect(headers.get('content-type')).toBe(mediaTypeOf(artifact.format))
    expect(headers.get('cache-control')).toBe('private, immutable, max-age=31536000')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="almanac-2026-W40-art_[0-9a-z]{26}\.(json|md|html)"$/,
    )
    expect(headers.get('content-security-policy')).toContain('sandbox')
  })

  it('are not sent again to those who have them', async () => {
    const { id, sha256: hash } = of('html')
    for (const known of [`"${hash}"`, `W/"${hash}"`, `"other", "${hash}"`, '*']) {
      const headers = { 'if-none-match': known }
      const { response, bytes } = await bytesOf(`/v1/artifacts/${id}`, headers)
      expect([response.status, bytes.length]).toEqual([304, 0])
      expect(response.headers.get('etag')).toBe(`"${hash}"`)
      expect(response.headers.get('cache-control')).toContain('immutable')
    }
    const { response } = await bytesOf(`/v1/artifacts/${id}`, { 'if-none-match': '"other"' })
    expect(response.status).toBe(200)
  })

  it('arrive unchanged when they travel compressed', async () => {
    const { id, sha256: hash } = of('html')
    const { response, bytes } = await bytesOf(`/v1/artifacts/${id}`, { 'accept-encoding': 'gzip' })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(sha256(bytes)).toBe(hash)
  })

  it('are read by the client', async () => {
    const client = createClient({ url, key })
    const { id, sha256: hash } = of('json')
    const { bytes, mediaType, etag } = await client.getArtifact({ params: { id } })
    expect([sha256(bytes), mediaType, etag]).toEqual([hash, 'application/json', `"${hash}"`])
  })
})

describe('a preview', () => {
  it('lets nothing run, and its own stylesheet apply', async () => {
    const { response, bytes } = await bytesOf(`/v1/artifacts/${of('html').id}/preview`)
    const policy = response.headers.get('content-security-policy') ?? ''
    const directives = new Map(
      policy.split('; ').map((directive) => {
        const [name = '', ...values] = directive.split(' ')
        return [name, values.join(' ')]
      }),
    )
    expect(directives.get('default-src')).toBe(`'none'`)
    expect(directives.get('img-src')).toBe('data:')
    expect(directives.get('frame-ancestors')).toBe(`'self'`)
    expect(directives.get('sandbox')).toBe('allow-popups allow-popups-to-escape-sandbox')
    expect(directives.has('script-src')).toBe(false)
    expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect(response.headers.get('content-disposition')).toMatch(/^inline; /)

    // The hash in the policy is that of the one style element, as a browser computes it.
    const styles = styleTexts(new TextDecoder().decode(bytes))
    expect(styles).toEqual([stylesheet])
    const hash = createHash('sha256')
      .update(styles[0] ?? '')
      .digest('base64')
    expect(directives.get('style-src')).toBe(`'sha256-${hash}'`)
  })

  it('shows Markdown and JSON as text', async () => {
    for (const format of ['markdown', 'json'] as const) {
      const { response } = await bytesOf(`/v1/artifacts/${of(format).id}/preview`)
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    }
  })
})

describe('content that is not what was recorded', () => {
  const change = (hash: string, bytes: string) =>
    superuser(
      `with off as (select set_config('session_replication_role', 'replica', false))
       update blobs set ${bytes} from off where sha256 = $1`,
      [hash],
    )

  it('is never shown', async () => {
    const { id, sha256: hash } = of('markdown')
    await change(hash, `bytes = bytes || 'x'::bytea`)
    for (const path of [`/v1/artifacts/${id}`, `/v1/artifacts/${id}/preview`]) {
      const found = await refused('GET', path, { key }, 'CONTENT_TAMPERED')
      expect(found.status).toBe(500)
      expect(found.detail).toContain(id)
      expect((await send(url, 'GET', path, { key })).headers.get('etag')).toBeNull()
    }
  })

  it('is told from content that was erased', async () => {
    const { id, sha256: hash } = of('json')
    await change(hash, 'bytes = null, erased_at = now()')
    const found = await refused('GET', `/v1/artifacts/${id}`, { key }, 'CONTENT_ERASED')
    expect(found).toMatchObject({ status: 410, params: { what: `artifact ${id}` } })
  })
})

interface Node {
  nodeName: string
  value?: string
  childNodes?: Node[]
}

function styleTexts(markup: string): string[] {
  const found: string[] = []
  const visit = (node: Node): void => {
    if (node.nodeName === 'style')
      found.push((node.childNodes ?? []).map(({ value }) => value ?? '').join(''))
    node.childNodes?.forEach(visit)
  }
  visit(parse(markup) as Node)
  return found
}
