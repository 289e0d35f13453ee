import { AlmanacError, isAlmanacError, type TenantId } from '@almanac/domain'
import { hashed, sha256, type HashedText } from '@almanac/domain/hash'
import type { Content } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec, Sealed } from './codec.ts'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

/** A sealed text under its hash. */
export interface Blob extends Sealed {
  tenantId: TenantId
  hash: string
}

/** Bytes of content that a statement which records several things brings along. */
export const mostBytes = 4_000_000

export const bytesOf = (blobs: readonly Blob[]): number =>
  blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** Content in `blobs`, through a codec; the blobs of concurrent jobs are written together. */
export function createContent(db: Database, codec: Codec): Content {
  const store = groupCalls((groups: readonly Blob[][]) => putBlobs(db, groups), { max: 16 })
  return {
    async put(tenantId, texts) {
      const blobs = texts.map((text) => sealText(codec, tenantId, hashed(text)))
      await store(blobs)
      return blobs.map(({ hash }) => hash)
    },
    async get(tenantId, hash) {
      const [row] = await db.queryTenant(
        sql<StoredBlob>`select key_id, bytes from read_blob(${tenantId}, ${hash})`,
      )
      if (!row) throw new AlmanacError('NOT_FOUND', { what: nameOf(hash) })
      return openText(codec, row, hash)
    },
  }
}

/** A blob of a text, under its hash. */
export const sealText = (codec: Codec, tenantId: TenantId, { hash, text }: HashedText): Blob => ({
  tenantId,
  hash,
  ...codec.seal(Buffer.from(text, 'utf8')),
})

async function putBlobs(db: Database, groups: readonly Blob[][]): Promise<null[]> {
  const { index, bytes } = packBlobs(groups.flat())
  await db.querySystem('content', sql`select put_blobs(${index}::jsonb, ${bytes}::bytea)`)
  return groups.map(() => null)
}

/** Blobs as `put_blobs` takes them: where each lies, and all their bytes, which so travel in binary. */
export function packBlobs(blobs: readonly Blob[]): { index: string; bytes: Buffer } {
  let end = 0
  const index = blobs.map(({ tenantId, hash, keyId, bytes: { length } }) => {
    const start = end + 1
    end += length
    return { tenantId, hash, keyId, start, length }
  })
  return {
    index: JSON.stringify(index),
    bytes: Buffer.concat(blobs.map(({ bytes }) => bytes)),
  }
}

/** A blob as it is stored; `bytes` is null once the content was erased. */
export interface StoredBlob {
  key_id: string | null
  bytes: Buffer | null
}

/** The text of a stored blob. Throws CONTENT_ERASED, CONTENT_TAMPERED. */
export function openText(codec: Codec, { key_id: keyId, bytes }: StoredBlob, hash: string): string {
  if (bytes === null) throw new AlmanacError('CONTENT_ERASED', { what: nameOf(hash) })
  const plain = openBytes(codec, { keyId, bytes }, hash)
  if (sha256(plain) !== hash) throw new AlmanacError('CONTENT_TAMPERED', { what: nameOf(hash) })
  return plain.toString('utf8')
}

/** The bytes of a stored blob, not yet held against its hash. Throws CONTENT_TAMPERED, CONFIG_INVALID. */
export function openBytes(codec: Codec, sealed: Sealed, hash: string): Buffer {
  try {
    return codec.open(sealed)
  } catch (error) {
    if (isAlmanacError(error)) throw error
    throw new AlmanacError('CONTENT_TAMPERED', { what: nameOf(hash) }, { cause: error })
  }
}

const nameOf = (hash: string): string => `the content ${hash.slice(0, 12)}…`
