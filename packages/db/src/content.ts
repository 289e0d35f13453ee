import { AlmanacError, isAlmanacError, type TenantId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Content } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec, Sealed } from './codec.ts'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

interface Blob extends Sealed {
  tenantId: TenantId
  hash: string
}

/** Content in `blobs`, through a codec; the blobs of concurrent jobs are written together. */
export function createContent(db: Database, codec: Codec): Content {
  const store = groupCalls((groups: readonly Blob[][]) => putBlobs(db, groups), { max: 16 })
  return {
    async put(tenantId, texts) {
      const blobs = texts.map((text) => sealText(codec, tenantId, text))
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

/** A blob of a text, under the hash of its UTF-8 bytes. Throws INPUT_INVALID for half characters. */
export function sealText(codec: Codec, tenantId: TenantId, text: string): Blob {
  // UTF-8 cannot hold a lone surrogate: what came back would be another text.
  if (!text.isWellFormed())
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'content', message: 'must not hold halves of characters' }],
    })
  const plain = Buffer.from(text, 'utf8')
  return { tenantId, hash: sha256(plain), ...codec.seal(plain) }
}

async function putBlobs(db: Database, groups: readonly Blob[][]): Promise<null[]> {
  // In one order everywhere, so that two writers of the same blobs never wait in a circle.
  const blobs = groups
    .flat()
    .sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.hash, b.hash))
  // All bytes as one parameter: it travels in binary, where an array of them would travel as text.
  const lengths = blobs.map(({ bytes }) => bytes.length)
  let end = 0
  const starts = lengths.map((length) => (end += length) - length + 1)
  await db.querySystem(
    'content',
    sql`insert into blobs (tenant_id, sha256, key_id, bytes)
      select b.tenant_id, b.sha256, b.key_id,
        substring(${Buffer.concat(blobs.map(({ bytes }) => bytes))}::bytea from b.start for b.length)
      from unnest(${blobs.map(({ tenantId }) => tenantId)}::text[],
        ${blobs.map(({ hash }) => hash)}::text[], ${blobs.map(({ keyId }) => keyId)}::text[],
        ${starts}::int[], ${lengths}::int[]) as b (tenant_id, sha256, key_id, start, length)
      on conflict do nothing`,
  )
  return groups.map(() => null)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

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
