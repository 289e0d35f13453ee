import { getArtifact, listArtifacts } from '@almanac/db'
import { stylesheetHash } from '@almanac/documents'
import {
  AlmanacError,
  fileEndingOf,
  isAlmanacError,
  type ArtifactResource,
  type runRoutes,
  type TenantId,
} from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Asked, BytesAnswer, EmptyAnswer, Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

type Operations = Extract<
  keyof typeof runRoutes,
  'listArtifacts' | 'getArtifact' | 'previewArtifact'
>

/**
 * What a browser may do with an artifact, also when it is opened by its own address: apply the one
 * stylesheet of all documents, show its images, follow its links in a new tab. Nothing runs.
 */
export const artifactPolicy = [
  `default-src 'none'`,
  `style-src '${stylesheetHash}'`,
  'img-src data:',
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'self'`,
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ')

/** The handlers of `/v1/artifacts`. */
export const artifactHandlers = (parts: ApiParts): Handlers<Operations> => ({
  listArtifacts: async ({ caller: { tenantId }, query }) => ({
    body: await parts.db.withTenant(tenantId, (trx) => listArtifacts(trx, tenantId, query)),
  }),
  getArtifact: (asked) =>
    show(parts, asked, (artifact) => ({
      'content-type': artifact.mediaType,
      'content-disposition': `attachment; filename="${fileNameOf(artifact)}"`,
    })),
  previewArtifact: (asked) =>
    show(parts, asked, (artifact) => ({
      'content-type': artifact.format === 'html' ? artifact.mediaType : 'text/plain; charset=utf-8',
      'content-disposition': `inline; filename="${fileNameOf(artifact)}"`,
    })),
})

async function show(
  { db, content }: ApiParts,
  { caller: { tenantId }, params: { id }, request }: Asked<'getArtifact' | 'previewArtifact'>,
  headersOf: (artifact: ArtifactResource) => Record<string, string>,
): Promise<BytesAnswer | EmptyAnswer> {
  const artifact = await db.withTenant(tenantId, (trx) => getArtifact(trx, tenantId, id))
  const headers = {
    etag: `"${artifact.sha256}"`,
    'cache-control': 'private, immutable, max-age=31536000',
  }
  if (isKnown(request.get('if-none-match'), artifact.sha256))
    return { status: 304, empty: true, headers }
  const bytes = await readBytes(content, tenantId, artifact)
  return {
    bytes,
    headers: {
      ...headers,
      ...headersOf(artifact),
      'content-security-policy': artifactPolicy,
      'x-frame-options': 'SAMEORIGIN',
    },
  }
}

/** The bytes, whose hash is the recorded one, or an error that names the artifact. */
async function readBytes(
  content: ApiParts['content'],
  tenantId: TenantId,
  { id, sha256: recorded }: ArtifactResource,
): Promise<Uint8Array> {
  const what = `artifact ${id}`
  try {
    const bytes = Buffer.from(await content.get(tenantId, recorded), 'utf8')
    if (sha256(bytes) === recorded) return bytes
  } catch (error) {
    if (isAlmanacError(error, 'CONTENT_ERASED')) throw new AlmanacError('CONTENT_ERASED', { what })
    // That the row is there and its content is not was nobody's deed in Almanac.
    if (!isAlmanacError(error, 'CONTENT_TAMPERED') && !isAlmanacError(error, 'NOT_FOUND'))
      throw error
  }
  throw new AlmanacError('CONTENT_TAMPERED', { what })
}

function isKnown(ifNoneMatch: string | undefined, hash: string): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(`"${hash}"`)
}

/** Made of ids and period keys only, of which no character means anything to a header or a disk. */
function fileNameOf({ id, periodKey, format }: ArtifactResource): string {
  const period = periodKey?.replace(/[^A-Za-z0-9-]/g, '') ?? 'on-demand'
  return `almanac-${period}-${id}.${fileEndingOf(format)}`
}
