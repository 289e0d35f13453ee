import type { EventName, EventResource, RunId, TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Database } from '../pool.ts'

/** A run of which the events after `after` are wanted. */
export interface WatchedRun {
  tenantId: TenantId
  runId: RunId
  after: number
}

export interface RunNews {
  runId: RunId
  /** Oldest first. */
  events: EventResource[]
}

/** Events of one run that are read at once; a run with more of them is read again. */
const mostEvents = 200

interface Row {
  run_id: RunId
  seq: number
  type: EventName
  data: unknown
  at: Date
}

/**
 * What happened in many runs, whoever they belong to, in one statement; runs without news are left
 * out. For those who answer each tenant about its own runs only.
 */
export async function readRunNews(
  db: Database,
  watched: readonly WatchedRun[],
): Promise<RunNews[]> {
  if (watched.length === 0) return []
  const rows = await db.querySystem(
    'events',
    sql<Row>`select watched.run_id, news.*
      from unnest(${watched.map(({ tenantId }) => tenantId)}::text[],
        ${watched.map(({ runId }) => runId)}::text[],
        ${watched.map(({ after }) => after)}::integer[]) as watched (tenant_id, run_id, after)
      cross join lateral (
        select seq, type, data, at from run_events
        where tenant_id = watched.tenant_id and run_id = watched.run_id and seq > watched.after
        order by seq limit ${mostEvents}
      ) as news
      order by watched.run_id, news.seq`,
  )
  const byRun = Map.groupBy(rows, (row) => row.run_id)
  return [...byRun].map(([runId, found]) => ({ runId, events: found.map(view) }))
}

const view = ({ seq, type, data, at }: Row): EventResource => ({
  seq,
  type,
  data: z.record(z.string(), z.json()).parse(data),
  at: at.toISOString(),
})
