import type { RunId } from '@almanac/domain'
import type { RunMarks } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'

/** What workers note on runs, and look up about them, outside the stages. */
export function createMarks(db: Database): RunMarks {
  return {
    async markStart({ tenantId, runId, stage, epoch }, workerId) {
      await db.querySystem(
        'marks',
        sql`update runs set mark_worker_id = ${workerId}, progress_at = now()
          where tenant_id = ${tenantId} and id = ${runId} and epoch = ${epoch}
            and state = 'running' and next_stage = ${stage}`,
      )
    },
    async cancelling(runIds) {
      if (runIds.length === 0) return []
      const rows = await db.querySystem(
        'marks',
        sql<{ id: RunId }>`select r.id from runs r join tenants t on t.id = r.tenant_id
          where r.id = any (${runIds}::text[])
            and (r.state in ('cancelling', 'cancelled') or t.state = 'suspended')`,
      )
      return rows.map(({ id }) => id)
    },
  }
}
