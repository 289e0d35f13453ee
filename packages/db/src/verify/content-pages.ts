import type { TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { StoredBlob } from '../content.ts'
import type { Database } from '../pool.ts'

/** A stored blob under the hash that it is said to have. */
export interface NamedBlob extends StoredBlob {
  sha256: string
}

/** How many bytes a page holds before it is full, and how many blobs are looked at for it. */
const pageBytes = 4_000_000
const pageRows = 500

/** A tenant's blobs by hash, in pages of a few megabytes, each read in a transaction of its own. */
export async function* contentPages(db: Database, tenantId: TenantId): AsyncGenerator<NamedBlob[]> {
  let after = ''
  for (;;) {
    const { rows } = await db.withTenant(tenantId, (trx) =>
      sql<NamedBlob>`select sha256, key_id, bytes from (
          select *, sum(octet_length(bytes)) over (order by sha256) - octet_length(bytes) as before
          from (select sha256, key_id, bytes from blobs
            where tenant_id = ${tenantId} and sha256 > ${after} order by sha256 limit ${pageRows}) as next
        ) as page where coalesce(before, 0) < ${pageBytes} order by sha256`.execute(trx),
    )
    const last = rows.at(-1)
    if (!last) return
    yield rows
    after = last.sha256
  }
}

/** The named blobs of a tenant, at once. */
export async function readBlobs(
  db: Database,
  tenantId: TenantId,
  hashes: readonly string[],
): Promise<Map<string, NamedBlob>> {
  const { rows } = await db.withTenant(tenantId, (trx) =>
    sql<NamedBlob>`select sha256, key_id, bytes from blobs
      where tenant_id = ${tenantId} and sha256 = any (${hashes}::text[])`.execute(trx),
  )
  return new Map(rows.map((blob) => [blob.sha256, blob]))
}
