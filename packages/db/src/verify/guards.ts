import { readdir, readFile } from 'node:fs/promises'
import type { Access, Check, Findings } from './check.ts'

const migrations = new URL('../migrations/', import.meta.url)

/** Tables whose rows stay as they were recorded. */
const immutable = [
  'versions',
  'artifacts',
  'audit_events',
  'audit_chain',
  'blobs',
  'specification_revisions',
  'evidence_revisions',
  'run_events',
  'stage_outputs',
  'stage_tries',
]

/** When a trigger fires, as `pg_trigger.tgtype` writes it. */
const fires = {
  beforeChange: 1 + 2 + 8 + 16,
  beforeTruncate: 2 + 32,
  afterInsert: 1 + 4,
  afterInsertAll: 4,
  beforeUpdate: 1 + 2 + 16,
}

interface Guard {
  table: string
  trigger: string
  type: number
  function: string
}

/** The triggers that Almanac relies on; those on partitions follow from those of their parents. */
const triggers: readonly Guard[] = [
  ...immutable.flatMap((table) => [
    { table, trigger: 'immutable', type: fires.beforeChange, function: 'refuse_change' },
    { table, trigger: 'immutable_truncate', type: fires.beforeTruncate, function: 'refuse_change' },
  ]),
  {
    table: 'audit_events',
    trigger: 'unchained',
    type: fires.afterInsert,
    function: 'note_unchained',
  },
  {
    table: 'engine_calls',
    trigger: 'of_run',
    type: fires.afterInsertAll,
    function: 'refuse_orphans',
  },
  {
    table: 'runs',
    trigger: 'runs_transition',
    type: fires.beforeUpdate,
    function: 'refuse_transition',
  },
]

/** The unique keys that make a second success, success set or send impossible. */
const uniqueKeys = ['slots_run', 'artifact_sets_current', 'call_claims_pkey']

/** P5: what refuses changes is there, switched on, and does what the migrations say. */
export const guards: Check = {
  promise: 'P5',
  name: 'what refuses changes is there and switched on',
  unit: 'triggers, functions, constraints and unique keys',
  async run(access, findings) {
    await checkTriggers(access, findings)
    await checkFunctions(access, findings)
    await checkKeys(access, findings)
  },
}

interface Trigger extends Guard {
  enabled: boolean
}

async function checkTriggers({ snapshot }: Access, findings: Findings): Promise<void> {
  // Of the four ways in which a trigger can be enabled, two fire in ordinary sessions.
  const found = await snapshot.query<Trigger>(
    `select c.relname as table, t.tgname as trigger, t.tgtype::int as type,
        p.proname as function, t.tgenabled in ('O', 'A') as enabled
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
      where c.relnamespace = 'almanac'::regnamespace`,
  )
  findings.rows(found.length)
  for (const { table, trigger, enabled } of found)
    if (!enabled) findings.problem('pg_trigger', { table, trigger }, 'the trigger is switched off')
  const partitions = await snapshot.query<{ parent: string; table: string }>(
    `select p.relname as parent, c.relname as table from pg_inherits i
      join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
      where p.relnamespace = 'almanac'::regnamespace and p.relkind = 'p'`,
  )
  const expected = triggers.flatMap((guard) => [
    guard,
    ...partitions
      .filter(({ parent }) => parent === guard.table)
      .map(({ table }) => ({ ...guard, table })),
  ])
  for (const { table, trigger, type, function: name } of expected) {
    const one = found.find((other) => other.table === table && other.trigger === trigger)
    if (!one) findings.problem('pg_trigger', { table, trigger }, 'the trigger is missing')
    else if (one.type !== type || one.function !== name)
      findings.problem('pg_trigger', { table, trigger }, 'the trigger was replaced by another')
  }
}

/** The body of every function stands word for word in a migration. */
async function checkFunctions({ snapshot }: Access, findings: Findings): Promise<void> {
  const names = (await readdir(migrations)).filter((name) => name.endsWith('.sql'))
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, migrations), 'utf8')))
  const functions = await snapshot.query<{ name: string; body: string }>(
    `select proname as name, prosrc as body from pg_proc
      where pronamespace = 'almanac'::regnamespace order by proname`,
  )
  findings.rows(functions.length)
  for (const { name, body } of functions)
    if (!texts.some((text) => text.includes(body)))
      findings.problem('pg_proc', { function: name }, 'no migration has made it as it is')
}

async function checkKeys({ snapshot }: Access, findings: Findings): Promise<void> {
  const unchecked = await snapshot.query<{ table: string; name: string; validated: boolean }>(
    `select c.relname as table, k.conname as name, k.convalidated as validated
      from pg_constraint k join pg_class c on c.oid = k.conrelid
      where c.relnamespace = 'almanac'::regnamespace`,
  )
  findings.rows(unchecked.length)
  for (const { table, name, validated } of unchecked)
    if (!validated)
      findings.problem('pg_constraint', { table, name }, 'older rows were not held against it')
  const indexes = await snapshot.query<{ name: string; ready: boolean }>(
    `select c.relname as name, i.indisvalid and i.indisready and i.indislive as ready
      from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = 'almanac'::regnamespace and i.indisunique`,
  )
  findings.rows(indexes.length)
  for (const { name, ready } of indexes)
    if (!ready) findings.problem('pg_index', { index: name }, 'the unique key is not in force')
  for (const name of uniqueKeys)
    if (!indexes.some((index) => index.name === name))
      findings.problem('pg_index', { index: name }, 'the unique key is missing')
}
