import type { RunId } from '@almanac/domain'
import type { HistoryStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'

interface Row {
  run_id: RunId
  period_key: string
  finished_at: Date
  artifact_hash: string | null
}

/** What earlier periods gave: superseded and retracted documents do not count. */
export function createHistory(db: Database): HistoryStore {
  return {
    async before({ tenantId, specificationId, from }) {
      const rows = await db.queryTenant(
        sql<Row>`select * from earlier_successes(
          ${tenantId}, ${specificationId}, ${from}::timestamptz)`,
      )
      return {
        history: rows.map(({ run_id, period_key, finished_at }) => ({
          runId: run_id,
          periodKey: period_key,
          finishedAt: finished_at.toISOString(),
        })),
        previousArtifactHash: rows[0]?.artifact_hash ?? undefined,
      }
    },
  }
}
