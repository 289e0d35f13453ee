import { listEvents, type Database } from '@almanac/db'
import type { TenantId } from '@almanac/domain'
import type { ReadNews, RunNews, Watched } from './run-watcher.ts'

/** Events of one run that are read at once; a run with more of them is read again. */
const mostEvents = 200

/** Reads the news of runs in one transaction a tenant: no tenant's reader sees another's rows. */
export const readNewsFrom =
  (db: Database): ReadNews =>
  async (watched) => {
    const byTenant = Map.groupBy(watched, ({ tenantId }) => tenantId)
    const news = await Promise.all([...byTenant].map((entry) => newsOfTenant(db, ...entry)))
    return news.flat()
  }

const newsOfTenant = (
  db: Database,
  tenantId: TenantId,
  watched: readonly Watched[],
): Promise<RunNews[]> =>
  db.withTenant(tenantId, async (trx) => {
    const news: RunNews[] = []
    for (const { runId, after } of watched) {
      const events = await listEvents(trx, tenantId, runId, after, mostEvents)
      if (events.length > 0) news.push({ runId, events })
    }
    return news
  })
