import { canonicalJson, type AuditEvent, type TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { linkOf, type StoredAct } from '../refinement/prove-root.ts'

/** One line of an export: a link of a tenant's chain with its event, or the head that it ends with. */
export type AuditLine =
  | {
      type: 'link'
      tenantId: TenantId
      seq: number
      previousHash: string
      hash: string
      /** Null where the stored row does not read as an event, byte for byte. */
      event: AuditEvent | null
    }
  | {
      type: 'head'
      tenantId: TenantId
      seq: number
      hash: string
      /** Events that were not linked yet, and are not in the export. */
      unlinked: number
    }

const pageSize = 1_000

/**
 * The whole chain of a tenant, oldest first, then its head. Links are never changed: what was linked when
 * the export began is in it, whatever is linked meanwhile.
 */
export async function* exportAudit(trx: Trx, tenantId: TenantId): AsyncGenerator<AuditLine> {
  const { rows: heads } = await sql<{ seq: number; hash: string; unlinked: number }>`
    select coalesce(h.seq, 0) as seq, coalesce(h.hash, '') as hash, (select count(*)::integer
      from audit_unchained u where u.tenant_id = ${tenantId}) as unlinked
    from (values (1)) as one left join lateral (select c.seq, c.hash from audit_chain c
      where c.tenant_id = ${tenantId} order by c.seq desc limit 1) as h on true`.execute(trx)
  const head = heads[0] ?? { seq: 0, hash: '', unlinked: 0 }
  let after = 0
  while (after < head.seq) {
    const { rows } =
      await sql<StoredAct>`select c.seq, c.previous_hash, c.hash, c.event_id as id, e.at, e.actor,
        e.action, e.subject, e.detail
      from audit_chain c left join audit_events e on e.tenant_id = c.tenant_id and e.id = c.event_id
      where c.tenant_id = ${tenantId} and c.seq > ${after} and c.seq <= ${head.seq}
      order by c.seq limit ${pageSize}`.execute(trx)
    for (const row of rows) yield { type: 'link', tenantId, ...linkOf(tenantId, row) }
    // A gap is for the reader of the export to find.
    after = rows.at(-1)?.seq ?? head.seq
  }
  yield { type: 'head', tenantId, ...head }
}

/** A line as it stands in the file: canonical JSON, so that every byte of it counts. */
export const auditLineText = (line: AuditLine): string => canonicalJson(line)
