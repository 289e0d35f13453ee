import type { RunId, StageName, TenantId } from '@almanac/domain'
import type { AdmissionStore, StageJob } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'

/** A row of the functions that answer jobs to enqueue. */
export interface JobRow {
  tenant_id: TenantId
  run_id: RunId
  stage: StageName
  epoch: number
  n: number
}

export const toJob = ({ tenant_id, run_id, stage, epoch, n }: JobRow): StageJob => ({
  tenantId: tenant_id,
  runId: run_id,
  stage,
  epoch,
  n,
})

interface BacklogRow {
  tenant_id: TenantId
  queued: number
  in_flight: number
  cap: number
  in_flight_in_all: number
}

/** The only door into the queue: queued runs become running, and get their first job. */
export function createAdmission(db: Database): AdmissionStore {
  return {
    async backlog() {
      const rows = await db.querySystem(
        'admission',
        sql<BacklogRow>`with waiting as (
            select tenant_id, count(*)::int as queued from runs where state = 'queued' group by tenant_id
          ), flying as (
            select tenant_id, count(*)::int as in_flight from runs where state = 'running' group by tenant_id
          ), total as (
            select coalesce(sum(in_flight), 0)::int as in_flight_in_all from flying
          )
          select t.id as tenant_id, coalesce(w.queued, 0) as queued, coalesce(f.in_flight, 0) as in_flight,
            t.max_in_flight as cap, total.in_flight_in_all
          from total left join waiting w on true left join tenants t on t.id = w.tenant_id
            left join flying f on f.tenant_id = w.tenant_id
          order by t.id`,
      )
      return {
        inFlight: rows[0]?.in_flight_in_all ?? 0,
        tenants: rows
          .filter(({ queued }) => queued > 0)
          .map(({ tenant_id, queued, in_flight, cap }) => ({
            tenantId: tenant_id,
            queued,
            inFlight: in_flight,
            cap,
          })),
      }
    },
    async admit(counts) {
      const wanted = JSON.stringify(Object.fromEntries(counts))
      const rows = await db.querySystem(
        'admission',
        sql<JobRow>`select * from admit_runs(${wanted}::jsonb)`,
      )
      return rows.map(toJob)
    },
  }
}
