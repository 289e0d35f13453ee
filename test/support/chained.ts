import { createOperations, type Database } from '@almanac/db'
import { sql } from 'kysely'

/**
 * Resolves when every audit event is linked: here, or by the loop of a worker, which has a tenant's events
 * to itself while it is at them.
 */
export async function chained(db: Database): Promise<void> {
  const { chain } = createOperations(db)
  do while ((await chain.link(1_000)) > 0);
  while (await hasUnchained(db))
}

async function hasUnchained(db: Database): Promise<boolean> {
  return db.withSystem('chain', async (trx) => {
    const { rows } = await sql`select from audit_unchained limit 1`.execute(trx)
    return rows.length > 0
  })
}
