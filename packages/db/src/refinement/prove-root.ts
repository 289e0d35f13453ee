import type { RunId, TenantId } from '@almanac/domain'
import { prove, type AuditLink, type Proof } from '@almanac/refinement'
import { sql } from 'kysely'
import type { AuditRow } from '../chain.ts'
import type { Trx } from '../pool.ts'
import { readEvent } from '../verify/audit-chain.ts'

/** A link and its event as stored. */
export interface StoredAct {
  seq: number
  previous_hash: string
  hash: string
  id: string
  at: Date | null
  actor: string
  action: string
  subject: string
  detail: string
}

/**
 * Proves a root from the audit alone: reads the tenant's chain from the root's first act to its head, and
 * derives everything again. `pending` acts are not linked yet: they are not part of the proof.
 */
export async function proveRoot(
  trx: Trx,
  tenantId: TenantId,
  rootId: RunId,
): Promise<Proof & { pending: number }> {
  const { rows } =
    await sql<StoredAct>`select c.seq, c.previous_hash, c.hash, c.event_id as id, e.at, e.actor,
      e.action, e.subject, e.detail
    from audit_chain c left join audit_events e on e.tenant_id = c.tenant_id and e.id = c.event_id
    where c.tenant_id = ${tenantId} and c.seq >= coalesce((
      select min(f.seq) from audit_events a
      join audit_chain f on f.tenant_id = a.tenant_id and f.event_id = a.id
      where a.tenant_id = ${tenantId} and a.subject = ${rootId}
        and (a.action like 'refinement.%' or a.action like 'checkpoint.%')), 1) - 1
    order by c.seq`.execute(trx)
  const waiting = await sql<{ n: number }>`select count(*)::integer as n from audit_events a
    where a.tenant_id = ${tenantId} and a.subject = ${rootId}
      and (a.action like 'refinement.%' or a.action like 'checkpoint.%')
      and not exists (select from audit_chain c where c.tenant_id = a.tenant_id and c.event_id = a.id)`.execute(
    trx,
  )
  return {
    ...prove(
      rootId,
      rows.map((row) => linkOf(tenantId, row)),
    ),
    pending: waiting.rows[0]?.n ?? 0,
  }
}

/** A stored link as the proof reads it; without event where the row does not read as one, byte for byte. */
export function linkOf(
  tenantId: TenantId,
  { seq, previous_hash, hash, at, ...row }: StoredAct,
): AuditLink {
  const event: AuditRow | null = at && { ...row, at, tenant_id: tenantId }
  return { seq, previousHash: previous_hash, hash, event: (event && readEvent(event)) ?? null }
}
