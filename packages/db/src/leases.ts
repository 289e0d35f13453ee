import type { Leases } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'

/** Who is alive, by the clock of the database: a worker's own clock decides nothing. */
export function createLeases(db: Database): Leases {
  return {
    async register({ id, host, pid, version }, ttlMs) {
      await db.querySystem(
        'leases',
        sql`with forgotten as (delete from workers where alive_until < now() - interval '1 day')
          insert into workers (id, host, pid, version, alive_until)
          values (${id}, ${host}, ${pid}, ${version}, ${until(ttlMs)})`,
      )
    },
    async renew(id, ttlMs) {
      const rows = await db.querySystem(
        'leases',
        sql`update workers set alive_until = ${until(ttlMs)}
          where id = ${id} and alive_until > now() returning id`,
      )
      return rows.length > 0
    },
    async leave(id) {
      await db.querySystem('leases', sql`delete from workers where id = ${id}`)
    },
  }
}

const until = (ttlMs: number) => sql`now() + make_interval(secs => ${ttlMs / 1_000})`
