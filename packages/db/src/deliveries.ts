import { type DeliveryId, type RunId, type SpecificationId, type TenantId } from '@almanac/domain'
import type { DeliveryStore, DueDelivery } from '@almanac/pipeline'
import { sql } from 'kysely'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

interface Row {
  id: DeliveryId
  tenant_id: TenantId
  run_id: RunId
  specification_id: SpecificationId
  period_key: string | null
  deliverer: string
  attempts: number
  artifacts: { format: string; sha256: string; bytes: number }[]
}

/**
 * Where artifacts are sent. A delivery is claimed before each attempt, which counts it; the claim
 * lapses with its worker, or after ten minutes.
 */
export function createDeliveries(db: Database): DeliveryStore {
  const succeed = groupCalls(async (ended: readonly object[]) => {
    await db.querySystem(
      'deliveries',
      sql`update deliveries d set state = 'succeeded', finished_at = now(), next_attempt_at = null,
          claimed_by = null, last_error = null, detail = e.detail
        from jsonb_to_recordset(${JSON.stringify(ended)}::jsonb)
          as e ("tenantId" text, id text, detail jsonb)
        where d.tenant_id = e."tenantId" and d.id = e.id and d.state = 'pending'`,
    )
    return ended
  })
  return {
    async claimDue(workerId, limit) {
      const rows = await db.querySystem(
        'deliveries',
        sql<Row>`with due as (
            select d.tenant_id, d.id from deliveries d
            where d.state = 'pending' and d.next_attempt_at <= now() and (d.claimed_by is null
              or not is_alive(d.claimed_by) or d.claimed_at < now() - interval '10 minutes')
            order by d.next_attempt_at limit ${limit} for no key update skip locked
          ), claimed as (
            update deliveries d set claimed_by = ${workerId}, claimed_at = now(), attempts = d.attempts + 1
            from due where d.tenant_id = due.tenant_id and d.id = due.id
            returning d.id, d.tenant_id, d.run_id, d.deliverer, d.attempts, d.next_attempt_at
          )
          select c.id, c.tenant_id, c.run_id, c.deliverer, c.attempts, r.specification_id, r.period_key,
            (select coalesce(jsonb_agg(jsonb_build_object(
                'format', a.format, 'sha256', a.sha256, 'bytes', a.bytes) order by a.format), '[]')
              from artifacts a where a.tenant_id = c.tenant_id and a.run_id = c.run_id) as artifacts
          from claimed c join runs r on r.tenant_id = c.tenant_id and r.id = c.run_id
          order by c.next_attempt_at`,
      )
      return rows.map(toDelivery)
    },
    async succeeded({ tenantId, id }, detail) {
      await succeed({ tenantId, id, detail })
    },
    async failed({ tenantId, id }, error, nextAttemptAt) {
      await db.querySystem(
        'deliveries',
        sql`update deliveries set state = case when ${nextAttemptAt}::timestamptz is null
              then 'failed' else 'pending' end,
            finished_at = case when ${nextAttemptAt}::timestamptz is null then now() end,
            next_attempt_at = ${nextAttemptAt}::timestamptz, claimed_by = null, last_error = ${error}
          where tenant_id = ${tenantId} and id = ${id} and state = 'pending'`,
      )
    },
  }
}

const toDelivery = (row: Row): DueDelivery => ({
  id: row.id,
  tenantId: row.tenant_id,
  runId: row.run_id,
  specificationId: row.specification_id,
  periodKey: row.period_key,
  deliverer: row.deliverer,
  attempts: row.attempts,
  artifacts: row.artifacts,
})
