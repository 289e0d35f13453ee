import { AlmanacError } from '@almanac/domain'
import type { Database } from '../pool.ts'

/** The database at one instant, for reading: every query sees the same rows, whatever runs beside it. */
export interface Snapshot {
  query<R>(sql: string, parameters?: readonly unknown[]): Promise<R[]>
  /** The rows of a query, fetched a thousand at a time. */
  each<R>(sql: string, parameters?: readonly unknown[]): AsyncGenerator<R>
  /** Runs `work`; an error of the database inside it leaves the snapshot usable. */
  attempt(work: () => Promise<void>): Promise<void>
}

const rowsAtOnce = 1_000

/**
 * Opens a snapshot as `almanac_system`: all tenants, no content. It is read only and holds one
 * connection until `close`. Throws DATABASE_UNREACHABLE when that connection breaks.
 */
export async function openSnapshot(
  db: Database,
): Promise<Snapshot & { close: () => Promise<void> }> {
  const connection = await db.dedicate('verify')
  const query = async <R>(sql: string, parameters?: readonly unknown[]): Promise<R[]> => {
    try {
      return await connection.query<R>(sql, parameters)
    } catch (cause) {
      if (!connection.lost.aborted) throw cause
      const params = { where: 'its address', reason: 'the connection was lost' }
      throw new AlmanacError('DATABASE_UNREACHABLE', params, { cause })
    }
  }
  let cursors = 0
  await query('begin isolation level repeatable read read only')
  // Everything that a cursor selects is fetched, so its plan is to be good for all of it.
  await query('set local cursor_tuple_fraction = 1')
  return {
    query,
    async *each<R>(sql: string, parameters?: readonly unknown[]) {
      const name = `verify_${(cursors += 1)}`
      await query(`declare ${name} no scroll cursor for ${sql}`, parameters)
      for (;;) {
        const rows = await query<R>(`fetch forward ${rowsAtOnce} from ${name}`)
        yield* rows
        if (rows.length < rowsAtOnce) break
      }
      await query(`close ${name}`)
    },
    async attempt(work) {
      await query('savepoint attempt')
      try {
        await work()
        await query('release savepoint attempt')
      } catch (error) {
        if (!connection.lost.aborted) await query('rollback to savepoint attempt')
        throw error
      }
    },
    close: () => connection.end(),
  }
}

/** A name of the catalogue as it stands in a statement. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
