import type { Access, Check, Findings, RowKey } from './check.ts'
import { quoted } from './snapshot.ts'

/** Columns of a table that name a row of another: `columns[i]` holds the other's `keys[i]`. */
interface Reference {
  child: string
  columns: string[]
  parent: string
  keys: string[]
}

/** What a column of this name refers to, where no foreign key says so; all within one tenant. */
const meanings: Record<string, string> = {
  run_id: 'runs',
  superseded_by: 'runs',
  specification_id: 'specifications',
  version_id: 'versions',
  source_id: 'sources',
  principal_id: 'principals',
  event_id: 'audit_events',
}

/** P4: whatever a row of a tenant refers to is that tenant's own. */
export const references: Check = {
  promise: 'P4',
  name: 'rows refer to rows of their own tenant only',
  unit: 'references',
  async run(access, findings) {
    const found = await findReferences(access, findings)
    const keys = await primaryKeys(access)
    for (const reference of found)
      await checkReference(access, reference, keys.get(reference.child) ?? [], findings)
    await checkBudgets(access, findings)
    await checkParents(access, findings)
    await checkReuse(access, findings)
  },
}

/**
 * All references that the catalogue knows: foreign keys, and columns whose name has a meaning. Those to
 * content are left to the check that opens it.
 */
async function findReferences({ snapshot }: Access, findings: Findings): Promise<Reference[]> {
  const foreign = await snapshot.query<Reference & { name: string; tenants: boolean }>(
    `select k.conname as name, c.relname as child, p.relname as parent,
        array(select a.attname::text from unnest(k.conkey) with ordinality as u (n, i)
          join pg_attribute a on a.attrelid = c.oid and a.attnum = u.n order by u.i) as columns,
        array(select a.attname::text from unnest(k.confkey) with ordinality as u (n, i)
          join pg_attribute a on a.attrelid = p.oid and a.attnum = u.n order by u.i) as keys,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenants
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
      where k.contype = 'f' and k.conparentid = 0 and c.relnamespace = 'almanac'::regnamespace
        and not c.relispartition and not p.relispartition
      order by c.relname, k.conname`,
  )
  for (const { name, child, columns, keys, parent, tenants } of foreign) {
    const tenantKey = parent === 'tenants' ? 'id' : 'tenant_id'
    if (tenants && keys[columns.indexOf('tenant_id')] !== tenantKey)
      findings.problem('pg_constraint', { table: child, name }, 'it does not compare the tenant')
  }
  const named = await snapshot.query<{ child: string; column: string }>(
    `select c.relname as child, a.attname as column
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = any ($1::text[])
      join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
      where c.relnamespace = 'almanac'::regnamespace and c.relkind in ('r', 'p')
        and not c.relispartition and not a.attisdropped
      order by c.relname, a.attname`,
    [Object.keys(meanings)],
  )
  const byName = named.map(({ child, column }): Reference => {
    const parent = meanings[column] ?? ''
    return { child, columns: ['tenant_id', column], parent, keys: ['tenant_id', 'id'] }
  })
  const told = new Set<string>()
  return [...foreign, ...byName].filter(({ child, columns, parent }) => {
    const text = `${child} ${columns.join()} ${parent}`
    if (parent === 'blobs' || told.has(text)) return false
    return told.add(text)
  })
}

async function primaryKeys({ snapshot }: Access): Promise<Map<string, string[]>> {
  const rows = await snapshot.query<{ name: string; columns: string[] }>(
    `select c.relname as name, array(select a.attname::text from unnest(i.indkey) with ordinality as u (n, i)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = u.n order by u.i) as columns
      from pg_index i join pg_class c on c.oid = i.indrelid
      where i.indisprimary and c.relnamespace = 'almanac'::regnamespace`,
  )
  return new Map(rows.map(({ name, columns }) => [name, columns]))
}

/** The rows of a table whose parent is missing among their tenant's, with whose it is instead. */
async function checkReference(
  { snapshot }: Access,
  { child, columns, parent, keys }: Reference,
  primaryKey: readonly string[],
  findings: Findings,
): Promise<void> {
  const set = columns.map((column) => `c.${quoted(column)} is not null`).join(' and ')
  const equal = columns
    .map((column, i) => `p.${quoted(keys[i] ?? '')} = c.${quoted(column)}`)
    .join(' and ')
  const [counted] = await snapshot.query<{ rows: number; wrong: number }>(
    `select count(*) as rows, count(*) filter (where p.${quoted(keys[0] ?? '')} is null) as wrong
      from ${quoted(child)} c left join ${quoted(parent)} p on ${equal} where ${set}`,
  )
  findings.rows(counted?.rows ?? 0)
  if (!counted?.wrong) return

  const others = columns.filter((column) => column !== 'tenant_id')
  const equalButTenant = columns
    .map((column, i) => `p.${quoted(keys[i] ?? '')} = c.${quoted(column)}`)
    .filter((_, i) => columns[i] !== 'tenant_id')
  const owner =
    others.length > 0 && keys.includes('tenant_id')
      ? `(select min(p.tenant_id::text) from ${quoted(parent)} p where ${equalButTenant.join(' and ')})`
      : 'null'
  const rows = snapshot.each<{ row: RowKey; named: string; owner: string | null }>(
    `select json_build_object(${primaryKey.map((column) => `'${column}', c.${quoted(column)}`).join()}) as row,
        concat_ws(' ', ${(others.length > 0 ? others : columns).map((column) => `c.${quoted(column)}`).join()})
          as named, ${owner} as owner
      from ${quoted(child)} c where ${set}
        and not exists (select from ${quoted(parent)} p where ${equal})`,
  )
  for await (const { row, named, owner: whose } of rows)
    findings.problem(
      child,
      row,
      whose === null
        ? `it refers to ${named}, which is not in ${parent}`
        : `it refers to ${named} in ${parent}, which is of the tenant ${whose}`,
    )
}

/** A budget's subject is its tenant, or a run or specification of it, as its level says. */
async function checkBudgets({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = { tenant_id: string; level: string; subject: string; period: string; own: boolean }
  const rows = snapshot.each<Row>(
    `select b.tenant_id, b.level, b.subject, b.period, case b.level
        when 'root' then exists (select from runs r where r.tenant_id = b.tenant_id and r.id = b.subject)
        when 'specification' then exists (select from specifications s
          where s.tenant_id = b.tenant_id and s.id = b.subject)
        else b.subject = b.tenant_id end as own
      from budgets b`,
  )
  for await (const { own, ...budget } of rows) {
    findings.rows(1)
    if (!own) findings.problem('budgets', budget, 'its subject is not of its tenant')
  }
}

/** The versions that a version was made from are versions of its tenant. */
async function checkParents({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = { tenant_id: string; id: string; parent: string; own: boolean }
  const rows = snapshot.each<Row>(
    `select v.tenant_id, v.id, parent, exists (select from versions p
        where p.tenant_id = v.tenant_id and p.id = parent) as own
      from versions v, unnest(v.parents) as parent`,
  )
  for await (const { own, parent, ...version } of rows) {
    findings.rows(1)
    if (!own)
      findings.problem('versions', version, `its parent ${parent} is no version of its tenant`)
  }
}

/** An answer that was used again was given to a run of the same tenant. */
async function checkReuse({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = { tenant_id: string; run_id: string; seq: number; source: string | null; own: boolean }
  const rows = snapshot.each<Row>(
    `select e.tenant_id, e.run_id, e.seq, e.data ->> 'fromRunId' as source, exists (select from runs r
        where r.tenant_id = e.tenant_id and r.id = e.data ->> 'fromRunId') as own
      from run_events e where e.type = 'run.output_reused'`,
  )
  for await (const { own, source, ...event } of rows) {
    findings.rows(1)
    if (!own)
      findings.problem('run_events', event, `it used an answer of ${source}, no run of its tenant`)
  }
}
