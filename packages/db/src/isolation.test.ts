import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestTenant } from '../../../test/support/postgres.ts'
import { failureCode } from './database-failure.ts'
import { createDriver } from './testing/drive-run.ts'
import { fillTenant } from './testing/fill-tenant.ts'

const { db, superuser } = await testDatabase()

interface Table {
  name: string
  tenant_column: 'id' | 'tenant_id' | null
  columns: string[]
  forced: boolean
}

/** Every table and partition of the schema, from the catalogue: none can be forgotten. */
const tables = await superuser<Table>(`
  select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
    case when c.relname = 'tenants' then 'id'
      when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')
      then 'tenant_id' end as tenant_column,
    (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and a.attgenerated = '') as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'almanac' and c.relkind in ('r', 'p') and not c.relispartition order by 1`)
const tenantTables = tables.filter(({ tenant_column }) => tenant_column !== null)

let [a, b]: [TestTenant, TestTenant] = [{} as TestTenant, {} as TestTenant]
beforeAll(async () => {
  const driver = createDriver(db)
  a = await fillTenant(db, driver)
  b = await fillTenant(db, driver)
})

/** What the database answers a statement of tenant A: rows, a count of changed rows, or an error code. */
const asTenantA = (statement: string) =>
  db
    .withTenant(a.tenantId, async (trx) => {
      const { rows, numAffectedRows } = await sql<{ n: number }>`${sql.raw(statement)}`.execute(trx)
      return { rows, changed: Number(numAffectedRows ?? 0), code: undefined }
    })
    .catch((error: unknown) => ({ rows: [], changed: 0, code: failureCode(error) }))

const denied = '42501'

describe('another tenant’s rows', () => {
  it('are there, in every table that holds tenants’ rows', async () => {
    expect(tenantTables.length).toBeGreaterThan(20)
    for (const { name, tenant_column } of tenantTables) {
      const [row] = await superuser<{ n: number }>(
        `select count(*)::int as n from ${name} where ${tenant_column} = $1`,
        [b.tenantId],
      )
      expect(row?.n, name).toBeGreaterThan(0)
    }
  })

  it.each(tenantTables)('of $name are not read', async ({ name, tenant_column }) => {
    const all = await asTenantA(`select count(*)::int as n from ${name}`)
    const own = await asTenantA(
      `select count(*)::int as n from ${name} where ${tenant_column} = '${a.tenantId}'`,
    )
    if (all.code === undefined) {
      expect(own.rows[0]?.n).toBeGreaterThan(0)
      expect(all.rows).toEqual(own.rows)
    } else expect(all.code).toBe(denied)
  })

  it.each(tenantTables)('of $name are not written', async ({ name, tenant_column, columns }) => {
    const list = columns.map((column) => `"${column}"`).join(', ')
    const [row] = await superuser<{ row: string }>(
      `select to_jsonb(t)::text as row from ${name} t where ${tenant_column} = $1 limit 1`,
      [b.tenantId],
    )
    const copy = (row?.row ?? '').replaceAll("'", "''")
    const inserted = await asTenantA(
      `insert into ${name} (${list}) select ${list} from jsonb_populate_record(null::${name}, '${copy}')`,
    )
    expect(inserted.code).toBe(denied)

    const changed = await asTenantA(
      `update ${name} set ${tenant_column} = ${tenant_column} where ${tenant_column} = '${b.tenantId}'`,
    )
    expect([undefined, denied]).toContain(changed.code)
    expect(changed.changed).toBe(0)

    const moved = await asTenantA(
      `update ${name} set ${tenant_column} = '${b.tenantId}' where ${tenant_column} = '${a.tenantId}'`,
    )
    expect(moved.code).toBe(denied)

    const deleted = await asTenantA(`delete from ${name} where ${tenant_column} = '${b.tenantId}'`)
    expect([undefined, denied]).toContain(deleted.code)
    expect(deleted.changed).toBe(0)
  })

  it('are not read through a function that is given the other tenant’s ids', async () => {
    const [run] = await superuser<{ id: string }>('select id from runs where tenant_id = $1', [
      b.tenantId,
    ])
    const rows = await db.queryTenant(sql`select * from load_run(${a.tenantId}, ${run?.id})`)
    expect(rows).toEqual([])
  })
})

describe('the schema', () => {
  it('forces Row-Level Security on every table', () => {
    expect(tables.filter(({ forced }) => !forced).map(({ name }) => name)).toEqual([])
  })

  it('forces it on every partition too, and lets nobody go there directly', async () => {
    const partitions = await superuser<{ name: string; forced: boolean }>(`
      select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'almanac' and c.relispartition and c.relkind = 'r'`)
    expect(partitions.length).toBe(20)
    expect(partitions.filter(({ forced }) => !forced)).toEqual([])
    for (const { name } of partitions)
      expect((await asTenantA(`select count(*)::int as n from ${name}`)).code).toBe(denied)
  })

  it('has no view and no materialized view', async () => {
    const views = await superuser(`select c.relname from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'almanac' and c.relkind in ('v', 'm')`)
    expect(views).toEqual([])
  })

  it('lets the public call none of its functions but those in policies and triggers', async () => {
    const open = await superuser<{ name: string }>(`select p.proname as name from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'almanac' and has_function_privilege('public', p.oid, 'execute')
      order by 1`)
    expect(open.map(({ name }) => name)).toEqual([
      'current_tenant',
      'note_unchained',
      'refuse_change',
      'refuse_transition',
    ])
  })
})

describe('without a tenant', () => {
  it('nothing is seen', async () => {
    const rows = await db.queryTenant(sql<{ n: number }>`select count(*)::int as n from runs`)
    expect(rows).toEqual([{ n: 0 }])
  })

  it('nothing is seen on a connection that had one before', async () => {
    await db.withTenant(a.tenantId, (trx) => trx.selectFrom('runs').select('id').execute())
    const counts = await Promise.all(
      Array.from({ length: 10 }, () =>
        db.queryTenant(sql<{ n: number }>`select count(*)::int as n from runs`),
      ),
    )
    expect(counts.flat().every(({ n }) => n === 0)).toBe(true)
  })
})

describe('the system role', () => {
  it('does not read content', async () => {
    const failure = await db
      .querySystem('verify', sql`select bytes from blobs limit 1`)
      .then(() => undefined, failureCode)
    expect(failure).toBe(denied)
  })

  it('refuses an id that is none before it reaches the database', async () => {
    await expect(
      db.withTenant(`ten_'; drop table runs; --`, () => Promise.resolve()),
    ).rejects.toThrow(/tenantId/)
  })
})
