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
        sql<BacklogRow>`select * from admission_backlog()`,
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
