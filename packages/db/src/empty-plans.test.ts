import type { RunId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { asSuperuser } from '../../../test/support/postgres-server.ts'
import { testDatabase } from '../../../test/support/postgres.ts'
import { queueRun, testTenant } from '../../../test/support/tenant.ts'
import { connectDatabase } from './pool.ts'
import { createDriver } from './testing/drive-run.ts'

/**
 * A connection keeps the plans that it makes first, and on a database that has just been set up, as in the
 * first minutes of every month's partitions, it makes them while there is nothing to count: whatever looks
 * good then is what runs until the statistics come.
 */

interface Key {
  table: string
  columns: string[]
}

const keys = `select c.relname as table, array_agg(a.attname::text order by k.n) as columns
  from pg_constraint p join pg_class c on c.oid = p.conrelid and c.relkind = 'r'
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'almanac'
  cross join unnest(p.conkey) with ordinality as k (attribute, n)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attribute
  where p.contype = 'p' group by 1 order by 1`

describe('plans that are made while a table is empty', () => {
  it('find a row by its whole primary key, in the index of that key', async () => {
    const { url } = await testDatabase()
    const wrong = await asSuperuser(url, async (client) => {
      await client.query(`set search_path = almanac; set enable_seqscan = off;
        set plan_cache_mode = force_generic_plan`)
      const { rows } = await client.query<Key>(keys)
      expect(rows.length).toBeGreaterThan(40)
      const found: string[] = []
      for (const { table, columns } of rows) {
        const where = columns.map((column, i) => `${column} = $${i + 1}`).join(' and ')
        await client.query(`prepare one as select xmin from ${table} where ${where}`)
        const nulls = columns.map(() => 'null').join(', ')
        const plan = await client.query<{ 'QUERY PLAN': string }>(`explain execute one(${nulls})`)
        await client.query('deallocate one')
        const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n')
        if (!/using \w+_pkey on/.test(text)) found.push(`${table}:\n${text}`)
      }
      return found
    })
    expect(wrong).toEqual([])
  })

  it('read no more for a run when many others are under way, or have been', async () => {
    const [few, many] = [await rowsRead(40), await rowsRead(80)]
    expect(few).toBeGreaterThan(0)
    // Twice as many runs: about twice the rows. What reads all runs for each of them reads four times as many.
    expect(many / few).toBeLessThan(3)
  }, 60_000)
})

/** Rows that Postgres reads to bring so many runs, all under way at once, to their success. */
async function rowsRead(count: number): Promise<number> {
  const { url, superuser } = await testDatabase()
  const total = async () => {
    const [row] = await superuser<{ n: number }>(
      `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as n from pg_stat_user_tables
        where schemaname = 'almanac'`,
    )
    return row?.n ?? 0
  }
  // So the planner takes it for certain that there is nothing.
  await superuser('analyze')
  const sessions = async () => {
    const [row] = await superuser<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
    return row?.n ?? 0
  }
  const [before, others] = [await total(), await sessions()]
  const db = await connectDatabase({ url })
  const driver = createDriver(db)
  const tenant = await testTenant(db)
  const { tenantId } = tenant
  const runIds: RunId[] = []
  for (let i = 0; i < count; i += 1) runIds.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenantId, count)
  for (const runId of runIds) expect(await driver.succeed(tenantId, runId)).toBe('committed')
  await db.close()
  // A session tells what it has read when it ends.
  while ((await sessions()) > others);
  return (await total()) - before
}
