import { AlmanacError } from '@almanac/domain'
import type { Request } from 'express'
import { createGunzip } from 'node:zlib'
import { unsupported } from '../binding/json-body.ts'

const mediaTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/**
 * The bytes of a streamed body, decompressed when it was sent with gzip.
 * Throws MEDIA_TYPE_UNSUPPORTED, and BODY_TOO_LARGE when the sender says so beforehand.
 */
export function bodyBytes(request: Request, limitBytes: number): AsyncIterable<Uint8Array> {
  if (!request.is(mediaTypes)) throw unsupported(request, 'application/x-ndjson')
  if (Number(request.headers['content-length'] ?? 0) > limitBytes)
    throw new AlmanacError('BODY_TOO_LARGE', { limitBytes })
  const encoding = request.headers['content-encoding'] ?? 'identity'
  // Whoever stops reading early still wants to answer: the connection must live on.
  if (encoding === 'identity') return request.iterator({ destroyOnReturn: false })
  if (encoding !== 'gzip')
    throw new AlmanacError('MEDIA_TYPE_UNSUPPORTED', {
      found: `content encoding ${JSON.stringify(encoding).slice(0, 60)}`,
      allowed: 'gzip, or none',
    })
  return gunzipped(request)
}

/** Begins to decompress when it is read from, so that somebody is there to hear of an error. */
async function* gunzipped(request: Request): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the request broke off'))
  })
  yield* request.pipe(gunzip)
}
