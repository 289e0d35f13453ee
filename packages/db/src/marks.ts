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
        sql<{ id: RunId }>`select r.id from runs r
          where r.state in ('cancelling', 'cancelled') and r.id = any (${runIds}::text[])
          union all
          select r.id from tenants t join runs r on r.tenant_id = t.id and r.state = 'running'
          where t.state = 'suspended' and r.id = any (${runIds}::text[])`,
      )
      return rows.map(({ id }) => id)
    },
  }
}
