import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import { quoted } from './snapshot.ts'
import type { Access, Check, Findings } from './check.ts'

/** A table as the catalogue has it. A partition is reached through its parent, whose policies count. */
interface Table {
  oid: number
  name: string
  partition: boolean
  enabled: boolean
  forced: boolean
  /** The column that says whose a row is; null for tables of the installation. */
  tenant_column: string | null
}

/** P4: the database itself keeps tenants apart: every table, policy, role and right. */
export const isolation: Check = {
  promise: 'P4',
  name: 'every table is closed to other tenants by the database itself',
  unit: 'tables',
  async run(access, findings) {
    const tables = await access.snapshot.query<Table>(
      `select c.oid::int8 as oid, c.relname as name, c.relispartition as partition,
          c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
          case when c.relname = 'tenants' then 'id' else (select a.attname from pg_attribute a
            where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) end as tenant_column
        from pg_class c where c.relnamespace = 'almanac'::regnamespace and c.relkind in ('r', 'p')
        order by c.relname`,
    )
    findings.rows(tables.length)
    for (const { name, enabled, forced } of tables) {
      if (!enabled) findings.problem('pg_class', { table: name }, 'Row-Level Security is off')
      else if (!forced)
        findings.problem('pg_class', { table: name }, 'Row-Level Security is not forced')
    }
    await checkPolicies(access, tables, findings)
    await checkRights(access, tables, findings)
    await checkRoles(access, findings)
    await checkWaysAround(access, findings)
    await checkStranger(access, tables, findings)
  },
}

interface Policy {
  table: string
  name: string
  permissive: boolean
  command: string
  roles: string[]
  shown: string | null
  taken: string | null
}

/** The policies of a table in one form: name, command, role, which rows it shows, which it takes. */
function expectedPolicies({ partition, tenant_column: column }: Table): Map<string, string> {
  if (partition) return new Map()
  const own = `${column}=current_tenant`
  return new Map([
    ...(column ? [['app', `* almanac_app ${own} ${own}`] as const] : []),
    ['system', '* almanac_system true true'],
    ['operator_read', 'r almanac_operator_read true null'],
  ])
}

const formOf = ({ permissive, command, roles, shown, taken }: Policy): string => {
  // Postgres versions differ in their brackets and casts.
  const plain = (text: string | null) => text?.replaceAll(/::text|[()\s]/g, '') ?? 'null'
  const form = `${command} ${roles.join(',')} ${plain(shown)} ${plain(taken)}`
  return permissive ? form : `restrictive ${form}`
}

async function checkPolicies(
  { snapshot }: Access,
  tables: readonly Table[],
  findings: Findings,
): Promise<void> {
  const policies = await snapshot.query<Policy>(
    `select c.relname as table, p.polname as name, p.polpermissive as permissive,
        p.polcmd::text as command, array(select case r when 0 then 'public'
          else r::regrole::text end from unnest(p.polroles) as r order by 1) as roles,
        pg_get_expr(p.polqual, p.polrelid) as shown, pg_get_expr(p.polwithcheck, p.polrelid) as taken
      from pg_policy p join pg_class c on c.oid = p.polrelid
      where c.relnamespace = 'almanac'::regnamespace`,
  )
  for (const table of tables) {
    const row = (policy: string) => ({ table: table.name, policy })
    const found = policies.filter((policy) => policy.table === table.name)
    const expected = expectedPolicies(table)
    for (const policy of found) {
      const form = expected.get(policy.name)
      if (form === undefined)
        findings.problem('pg_policy', row(policy.name), `Almanac has no such policy`)
      else if (form !== formOf(policy))
        findings.problem(
          'pg_policy',
          row(policy.name),
          `it is (${formOf(policy)}), and must be (${form})`,
        )
    }
    for (const name of expected.keys())
      if (!found.some((policy) => policy.name === name))
        findings.problem('pg_policy', row(name), 'the policy is missing')
  }
}

/** No tenant's role reaches tables of the installation, none a partition, only tenants' own content. */
async function checkRights(
  { snapshot }: Access,
  tables: readonly Table[],
  findings: Findings,
): Promise<void> {
  const closed = tables.filter((table) => table.partition || table.tenant_column === null)
  const rows = await snapshot.query<{ table: string; role: string; rights: string[] }>(
    `select * from (
        select c.relname as table, role, array(
          select privilege from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',
            'REFERENCES', 'TRIGGER']) as privilege
          where case when privilege in ('DELETE', 'TRUNCATE', 'TRIGGER')
            then has_table_privilege(role, c.oid, privilege)
            else has_any_column_privilege(role, c.oid, privilege) end) as rights
        from pg_class c, unnest(array['almanac_app', 'almanac_system', 'almanac_operator_read']) as role
        where c.oid = any ($1::oid[]) and (c.relispartition or role = 'almanac_app')
      ) as held where cardinality(rights) > 0`,
    [closed.map(({ oid }) => oid)],
  )
  for (const { table, role, rights } of rows)
    findings.problem('pg_class', { table, role }, `the role may ${rights.join(', ')}`)

  const readers = await snapshot.query<{ role: string }>(
    `select role from unnest(array['almanac_system', 'almanac_operator_read']) as role
      where has_column_privilege(role, 'almanac.blobs', 'bytes', 'SELECT')`,
  )
  for (const { role } of readers)
    findings.problem('pg_class', { table: 'blobs', role }, 'the role may read content')
}

/** No role of Almanac passes Row-Level Security by, nor can it become a role that does or owns tables. */
async function checkRoles({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = await snapshot.query<{ role: string; what: string }>(
    `select rolname as role, case when rolsuper then 'the role is a superuser'
        else 'the role has BYPASSRLS' end as what
      from pg_roles where rolname like 'almanac\\_%' and (rolsuper or rolbypassrls)
      union all
      select r.rolname, 'the role is a member of ' || o.rolname from pg_roles r, pg_roles o
      where r.rolname in ('almanac_app', 'almanac_system', 'almanac_operator_read')
        and o.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, o.oid, 'MEMBER')
        and (o.rolsuper or o.rolbypassrls or o.rolname like 'almanac\\_%' or o.oid in (
          select relowner from pg_class where relnamespace = 'almanac'::regnamespace))`,
  )
  for (const { role, what } of rows) findings.problem('pg_roles', { role }, what)
}

/** A view or a function that acts with its owner's rights would show what policies hide. */
async function checkWaysAround({ snapshot }: Access, findings: Findings): Promise<void> {
  const views = await snapshot.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'almanac'::regnamespace
      and (relkind = 'm' or relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions)
        or 'security_invoker=on' = any (reloptions), false))`,
  )
  for (const { name } of views)
    findings.problem('pg_class', { view: name }, 'the view shows rows with its owner’s rights')
  const functions = await snapshot.query<{ name: string }>(
    `select proname as name from pg_proc where pronamespace = 'almanac'::regnamespace
      and prosecdef and has_function_privilege('almanac_app', oid, 'EXECUTE')`,
  )
  for (const { name } of functions)
    findings.problem('pg_proc', { function: name }, 'tenants may act with its owner’s rights')
}

/** The proof of the pudding: a tenant that does not exist, and none at all, see no row anywhere. */
async function checkStranger(
  { db, snapshot }: Access,
  tables: readonly Table[],
  findings: Findings,
): Promise<void> {
  const readable = await snapshot.query<{ name: string }>(
    `select relname as name from pg_class where oid = any ($1::oid[])
      and has_table_privilege('almanac_app', oid, 'SELECT')`,
    [tables.map(({ oid }) => oid)],
  )
  const probes = readable.map(
    ({ name }) => `select '${name}' as name where exists (select from ${quoted(name)})`,
  )
  const seen = sql<{ name: string }>`${sql.raw(probes.join(' union all '))}`
  const stranger = await db.withTenant(newId('tenant'), async (trx) => {
    return (await seen.execute(trx)).rows
  })
  for (const { name } of stranger)
    findings.problem('pg_class', { table: name }, 'a tenant that does not exist sees rows of it')
  for (const { name } of await db.queryTenant(seen))
    findings.problem('pg_class', { table: name }, 'its rows are seen by no tenant in particular')
}
