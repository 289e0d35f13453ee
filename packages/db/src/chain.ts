import { auditEvent, type AuditEvent, type TenantId } from '@almanac/domain'
import { chainHash, type ChainLink } from '@almanac/domain/hash'
import type { ChainStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database, Trx } from './pool.ts'

export { chainHash, type ChainLink }

/** A stored audit row. */
export interface AuditRow {
  id: string
  tenant_id: string
  at: Date
  actor: string
  action: string
  subject: string
  detail: string
}

/** The event that a row holds. Throws when the row is not one. */
export const auditEventOf = ({ tenant_id, at, detail, ...row }: AuditRow): AuditEvent =>
  auditEvent.parse({
    ...row,
    tenantId: tenant_id,
    at: at.toISOString(),
    detail: JSON.parse(detail),
  })

/** Links audit events into one gapless chain a tenant, outside the transactions that made them. */
export function createChain(db: Database): ChainStore {
  return {
    link: (limit) =>
      db.withSystem('chain', async (trx) => {
        const tenants = await lockTenants(trx)
        if (tenants.length === 0) return 0
        const heads = new Map<TenantId, Omit<ChainLink, 'event'>>()
        const links = (await waitingEvents(trx, tenants, limit)).map((row) => {
          const { tenant_id: tenant, head_seq, head_hash, ...event } = row
          const place = heads.get(tenant) ?? { seq: head_seq + 1, previousHash: head_hash }
          const hash = chainHash({ ...place, event: auditEventOf({ ...event, tenant_id: tenant }) })
          heads.set(tenant, { seq: place.seq + 1, previousHash: hash })
          return { tenant, event: row.id, seq: place.seq, previous: place.previousHash, hash }
        })
        await insertLinks(trx, links)
        return links.length
      }),
  }
}

/** Tenants with work, locked until the transaction ends; those that another process has are its. */
async function lockTenants(trx: Trx): Promise<TenantId[]> {
  const { rows } = await sql<{ tenant_id: TenantId }>`with waiting as materialized (
      select distinct tenant_id from audit_unchained limit 200
    ) select tenant_id from waiting
      where pg_try_advisory_xact_lock(hashtext('almanac.chain'), hashtext(tenant_id))`.execute(trx)
  return rows.map(({ tenant_id }) => tenant_id)
}

interface WaitingEvent extends AuditRow {
  tenant_id: TenantId
  head_seq: number
  head_hash: string
}

/**
 * Events to link, oldest first, with the head of their tenant's chain. A statement of its own after
 * the locks, so that it sees what their last holders have committed.
 */
async function waitingEvents(
  trx: Trx,
  tenants: readonly TenantId[],
  limit: number,
): Promise<WaitingEvent[]> {
  const { rows } =
    await sql<WaitingEvent>`select e.tenant_id, e.id, e.at, e.actor, e.action, e.subject,
      e.detail, coalesce(h.seq, 0) as head_seq, coalesce(h.hash, '') as head_hash
    from audit_unchained u
    join audit_events e on e.tenant_id = u.tenant_id and e.id = u.event_id
    left join lateral (select c.seq, c.hash from audit_chain c where c.tenant_id = u.tenant_id
      order by c.seq desc limit 1) as h on true
    where u.tenant_id = any (${tenants}::text[])
    order by e.id limit ${limit}`.execute(trx)
  return rows
}

async function insertLinks(trx: Trx, links: readonly object[]): Promise<void> {
  if (links.length === 0) return
  await sql`with linked as (
      insert into audit_chain (tenant_id, seq, event_id, previous_hash, hash)
      select tenant, seq, event, previous, hash from jsonb_to_recordset(${JSON.stringify(links)}::jsonb)
        as l (tenant text, seq bigint, event text, previous text, hash text)
      returning tenant_id, event_id
    )
    delete from audit_unchained u using linked l
    where u.tenant_id = l.tenant_id and u.event_id = l.event_id`.execute(trx)
}
