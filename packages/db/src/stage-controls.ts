import type { StageControls } from '@almanac/pipeline'
import { sql, type Selectable } from 'kysely'
import type { Database } from './pool.ts'
import type { StageControlRows } from './schema.ts'

/** Which stages are paused, and how many jobs of each may run; a stage without row runs as it is. */
export function createStageControls(db: Database): StageControls {
  return {
    read: () =>
      db.querySystem(
        'controls',
        sql<Pick<Selectable<StageControlRows>, 'stage' | 'paused' | 'concurrency'>>`
          select stage, paused, concurrency from stage_controls order by stage`,
      ),
    async write({ stage, paused, concurrency }, by, reason) {
      await db.querySystem(
        'controls',
        sql`insert into stage_controls (stage, paused, concurrency, reason, changed_by)
          values (${stage}, ${paused}, ${concurrency}, ${reason}, ${by})
          on conflict (stage) do update set paused = excluded.paused,
            concurrency = excluded.concurrency, reason = excluded.reason,
            changed_by = excluded.changed_by, changed_at = now()`,
      )
    },
  }
}
