import {
  connectDatabase,
  migrate,
  createAesCodec,
  plainCodec,
  verify,
  type Codec,
  type Database,
  type Problem,
  type VerifyReport,
} from '@almanac/db'
import type { Engine } from '@almanac/pipeline'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { rebuildWith, verifyAndTell } from '../../apps/cli/src/commands/verify.ts'
import { recordingScreen } from '../../apps/cli/src/testing/recording-screen.ts'
import { startOwnPostgres } from '../support/own-postgres.ts'
import { asSuperuser, databaseUrl } from '../support/postgres-server.ts'
import { kinds } from '../support/sample.ts'
import { createPaidEngine, recordWorld, type RecordedWorld } from './recorded-world.ts'

/** A world is recorded once; every test gets a copy, and does to it what only a superuser can. */
const server = inject('postgresUrl')
const worldName = `almanac_verify_${process.pid}`
let world: RecordedWorld

beforeAll(async () => {
  await asSuperuser(server, (client) =>
    client.query(`create database ${worldName} template ${inject('postgresTemplate')}`),
  )
  const db = await connectDatabase({ url: databaseUrl(server, worldName) })
  world = await recordWorld(db)
  await db.close()
})

afterAll(async () => {
  await asSuperuser(server, (client) => client.query(`drop database ${worldName} with (force)`))
})

interface Copy {
  db: Database
  /** Statements with triggers and foreign keys off; of one alone it answers the rows. */
  tamper(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>
  verify(parts?: { codec?: Codec; engines?: Engine[] }): Promise<VerifyReport>
}

let copies = 0

async function withCopy(work: (copy: Copy) => Promise<void>): Promise<void> {
  const name = `${worldName}_${(copies += 1)}`
  const url = databaseUrl(server, name)
  await asSuperuser(server, (client) =>
    client.query(`create database ${name} template ${worldName}`),
  )
  const db = await connectDatabase({ url })
  try {
    await work({
      db,
      tamper: (sql, parameters) =>
        asSuperuser(url, async (client) => {
          await client.query('set search_path = almanac; set session_replication_role = replica')
          return (await client.query(sql, parameters)).rows
        }),
      verify: ({ codec = plainCodec, engines = [createPaidEngine()] } = {}) =>
        verify(db, { codec, rebuild: rebuildWith(engines, kinds) }),
    })
  } finally {
    await db.close()
    await asSuperuser(server, (client) => client.query(`drop database ${name} with (force)`))
  }
}

const problemsOf = (report: VerifyReport, promise?: string): Problem[] =>
  report.checks.flatMap((check) =>
    promise === undefined || check.promise === promise ? check.problems : [],
  )

const checkOf = (report: VerifyReport, unit: string) => {
  const found = report.checks.find((check) => check.unit === unit)
  if (!found) throw new Error(`no check counts ${unit}`)
  return found
}

describe('verify', () => {
  it('finds nothing wrong with what was recorded, and has looked at every promise', async () => {
    await withCopy(async (copy) => {
      const report = await copy.verify()
      expect(problemsOf(report)).toEqual([])
      expect(report.ok).toBe(true)
      expect(report.unchecked).toEqual([])
      for (const { rows, name } of report.checks) expect([name, rows > 0]).toEqual([name, true])
      expect(checkOf(report, 'contents').notes).toEqual([
        expect.stringMatching(
          /^among them packages \d+, documents \d+, artifacts 21, answers \d+, evidence items 105$/,
        ),
      ])
    })
  })

  it('says that the tail of the audit is not linked yet', async () => {
    await withCopy(async ({ verify }) => {
      const { notes } = checkOf(await verify(), 'audit events and links')
      expect(notes).toEqual([expect.stringMatching(/^1 not linked yet, the oldest of \d{4}-/)])
    })
  })

  it('counts calls of engines that are not set up here as not checked', async () => {
    await withCopy(async ({ tamper, verify }) => {
      const [calls] = await tamper('select count(*) as n from engine_calls')
      const report = await verify({ engines: [] })
      expect(report.ok).toBe(true)
      expect(report.unchecked).toEqual(['P6'])
      const { rows, notes } = report.checks.find(({ promise }) => promise === 'P6') ?? {}
      expect(rows).toBe(0)
      expect(notes).toEqual([
        `${String(calls?.['n'])} not checked: the engine paid with the model extractive-1 is not set up here`,
      ])
    })
  })

  it('tells erased content from content that is gone', async () => {
    await withCopy(async ({ tamper, verify }) => {
      const erase = `update blobs set bytes = null, erased_at = now() where sha256 = (
        select hash from evidence_items where tenant_id = $1 order by item_id limit 1) and tenant_id = $1
        returning tenant_id, sha256`
      const [blob] = await tamper(erase, [world.tenantId])
      const problem = { table: 'blobs', row: blob }
      expect(problemsOf(await verify())).toEqual([expect.objectContaining(problem)])

      await tamper(
        `insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
          select tenant_id, replace(id, 'aud_0', 'aud_7'), at, 'operator', 'content.erased', $2, '{}'
          from audit_events where tenant_id = $1 order by id limit 1;`,
        [world.tenantId, blob?.['sha256']],
      )
      await tamper(
        `insert into audit_unchained select tenant_id, id from audit_events where action = 'content.erased'`,
      )
      const report = await verify()
      expect(problemsOf(report)).toEqual([])
      expect(checkOf(report, 'contents').notes).toContain('1 erased')
    })
  })

  it('says that content cannot be opened without its key', async () => {
    await withCopy(async ({ tamper, verify }) => {
      const sealed = createAesCodec({ id: 'first', key: Buffer.alloc(32, 1) })
      const [row] = await tamper(`select tenant_id, sha256, bytes from blobs limit 1`)
      const { keyId, bytes } = sealed.seal(row?.['bytes'] as Buffer)
      await tamper('update blobs set key_id = $2, bytes = $3 where sha256 = $1', [
        row?.['sha256'],
        keyId,
        bytes,
      ])
      expect((await verify({ codec: sealed })).ok).toBe(true)
      const wrong = createAesCodec({ id: 'first', key: Buffer.alloc(32, 2) })
      const [broken] = problemsOf(await verify({ codec: wrong }))
      expect(broken?.what).toMatch(/^it was changed: its seal is broken/)
      const [unknown] = problemsOf(await verify())
      expect(unknown?.what).toMatch(/the key that sealed stored content is not among them/)
    })
  })
})

/** A byte changed in the middle of content. */
const flip = `bytes = set_byte(bytes, length(bytes) / 2, get_byte(bytes, length(bytes) / 2) # 1)`
const first = `(select id from runs r where r.state = 'succeeded' order by id limit 1)`
const refined = `(select subject from audit_events where action = 'refinement.ended')`
const repaired = `(select run_id from engine_calls where call_key = 'repair:1')`

/** What is done, the promise that it breaks, and the row to be named: what `sql` returns, or else `row`. */
interface Tamper {
  promise: string
  does: string
  table: string
  sql: string
  row?: string
}

const tampers: Tamper[] = [
  // One success a period
  {
    promise: 'P1',
    does: 'a used slot made free',
    table: 'slots',
    sql: `update slots set state = 'free', run_id = null where run_id = ${first}
      returning tenant_id, specification_id, period_key, ordinal`,
  },
  {
    promise: 'P1',
    does: 'one letter of a slot’s period',
    table: 'slots',
    sql: `update slots set period_key = '2026-W41' where run_id = ${first}
      returning tenant_id, specification_id, period_key, ordinal`,
  },
  {
    promise: 'P1',
    does: 'a used slot given to another run',
    table: 'slots',
    sql: `update slots set run_id = (select id from runs where state = 'failed') where run_id = ${first}
      returning tenant_id, specification_id, period_key, ordinal`,
  },
  {
    promise: 'P1',
    does: 'a failure declared a success',
    table: 'slots',
    sql: `update runs set state = 'succeeded' where state = 'failed'
      returning tenant_id, specification_id, period_key, ordinal`,
  },
  {
    promise: 'P1',
    does: 'a success declared a failure',
    table: 'slots',
    sql: `update runs set state = 'failed' where id = ${first}
      returning tenant_id, specification_id, period_key, ordinal`,
  },
  {
    promise: 'P1',
    does: 'a success without period',
    table: 'runs',
    sql: `update runs set period_key = null where id = ${first} returning tenant_id, id`,
  },
  {
    promise: 'P1',
    does: 'a slot that nobody granted',
    table: 'slots',
    sql: `update audit_events set detail = replace(detail, '"ordinal":1', '"ordinal":2')
      where action = 'slot.granted'`,
    row: `select tenant_id, specification_id, period_key, ordinal from slots where ordinal = 1`,
  },

  // Stages in order
  {
    promise: 'P2',
    does: 'an output removed',
    table: 'stage_outputs',
    sql: `delete from stage_outputs where run_id = ${first} and stage = 'assemble'
      returning tenant_id, run_id, stage`,
  },
  {
    promise: 'P2',
    does: 'an output of an epoch to come',
    table: 'stage_outputs',
    sql: `update stage_outputs set epoch = 2 where run_id = ${first} and stage = 'assemble'
      returning tenant_id, run_id, stage`,
  },

  // Money
  {
    promise: 'P3',
    does: 'one micro-USD of a budget',
    table: 'budgets',
    sql: `update budgets set spent_micro_usd = spent_micro_usd + 1 where level = 'tenant_day'
      and subject = (select min(id) from tenants) returning tenant_id, level, subject, period`,
  },
  {
    promise: 'P3',
    does: 'one token that a budget holds',
    table: 'budgets',
    sql: `update budgets set held_tokens = held_tokens - 1 where subject = ${repaired}
      returning tenant_id, level, subject, period`,
  },
  {
    promise: 'P3',
    does: 'a budget removed',
    table: 'budgets',
    sql: `delete from budgets where subject = ${first} returning tenant_id, level, subject, period`,
  },
  {
    promise: 'P3',
    does: 'what a call cost',
    table: 'budgets',
    sql: `update engine_calls set cost_micro_usd = 3209 where run_id = ${first}`,
    row: `select tenant_id, level, subject, period from budgets where subject = ${first}`,
  },
  {
    promise: 'P3',
    does: 'what a provider is owed',
    table: 'provider_budgets',
    sql: `update provider_budgets set spent_micro_usd = 0 returning provider, day::text`,
  },

  // Tenants apart
  {
    promise: 'P4',
    does: 'an event moved to another tenant',
    table: 'run_events',
    sql: `update run_events set tenant_id = (select max(id) from tenants) where run_id = ${first} and seq = 1
      returning tenant_id, run_id, seq`,
  },
  {
    promise: 'P4',
    does: 'a call under another tenant’s specification',
    table: 'engine_calls',
    sql: `update engine_calls set specification_id = (select max(id) from specifications)
      where run_id = ${first} returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P4',
    does: 'a budget of a run that is not there',
    table: 'budgets',
    sql: `update budgets set subject = 'run_x' where subject = ${first}
      returning tenant_id, level, subject, period`,
  },
  {
    promise: 'P4',
    does: 'Row-Level Security off',
    table: 'pg_class',
    sql: `alter table engine_calls disable row level security`,
    row: `select 'engine_calls' as table`,
  },
  {
    promise: 'P4',
    does: 'Row-Level Security not forced',
    table: 'pg_class',
    sql: `alter table slots no force row level security`,
    row: `select 'slots' as table`,
  },
  {
    promise: 'P4',
    does: 'Row-Level Security off on a partition',
    table: 'pg_class',
    sql: `do $$ begin execute format('alter table %I disable row level security',
      (select tableoid::regclass from run_events limit 1)); end $$`,
    row: `select tableoid::regclass::text as table from run_events limit 1`,
  },
  {
    promise: 'P4',
    does: 'a policy that shows everything',
    table: 'pg_policy',
    sql: `alter policy app on versions using (true)`,
    row: `select 'versions' as table, 'app' as policy`,
  },
  {
    promise: 'P4',
    does: 'a policy that takes everything',
    table: 'pg_policy',
    sql: `alter policy app on slots with check (true)`,
    row: `select 'slots' as table, 'app' as policy`,
  },
  {
    promise: 'P4',
    does: 'one more policy',
    table: 'pg_policy',
    sql: `create policy more on keys to almanac_app using (true)`,
    row: `select 'keys' as table, 'more' as policy`,
  },
  {
    promise: 'P4',
    does: 'a policy removed',
    table: 'pg_policy',
    sql: `drop policy operator_read on tenants`,
    row: `select 'tenants' as table, 'operator_read' as policy`,
  },
  {
    promise: 'P4',
    does: 'a right to the installation’s tables',
    table: 'pg_class',
    sql: `grant select on workers to almanac_app`,
    row: `select 'workers' as table, 'almanac_app' as role`,
  },
  {
    promise: 'P4',
    does: 'a right to a column of them',
    table: 'pg_class',
    sql: `grant update (paused) on stage_controls to almanac_app`,
    row: `select 'stage_controls' as table, 'almanac_app' as role`,
  },
  {
    promise: 'P4',
    does: 'a right to read content',
    table: 'pg_class',
    sql: `grant select on blobs to almanac_operator_read`,
    row: `select 'blobs' as table, 'almanac_operator_read' as role`,
  },
  {
    promise: 'P4',
    does: 'a view past the policies',
    table: 'pg_class',
    sql: `create view all_runs as select * from runs`,
    row: `select 'all_runs' as view`,
  },
  {
    promise: 'P4',
    does: 'a function past the policies',
    table: 'pg_proc',
    sql: `create function all_runs() returns bigint language sql security definer
      as 'select count(*) from almanac.runs'`,
    row: `select 'all_runs' as function`,
  },
  {
    promise: 'P4',
    does: 'another answer to who the tenant is',
    table: 'pg_class',
    sql: `do $$ begin execute format('create or replace function current_tenant() returns text
      language sql stable parallel safe as %L', format('select %L::text',
      (select min(id) from tenants))); end $$`,
    row: `select 'runs' as table`,
  },
  {
    promise: 'P4',
    does: 'a foreign key without the tenant',
    table: 'pg_constraint',
    sql: `create unique index on runs (id, tenant_id); alter table deliveries add column about type_id;
      alter table tenants add unique (id); alter table deliveries add constraint loose
      foreign key (about) references tenants (id)`,
    row: `select 'deliveries' as table, 'loose' as name`,
  },

  {
    promise: 'P4',
    does: 'an answer used that was another tenant’s',
    table: 'run_events',
    sql: `update run_events set data = data || jsonb_build_object('fromRunId',
      (select max(id) from runs)) where type = 'run.output_reused' returning tenant_id, run_id, seq`,
  },

  // What was recorded stays
  ...['package_hash', 'content_hash'].map((column) => ({
    promise: 'P5',
    does: `one byte of the content in versions.${column}`,
    table: 'blobs',
    sql: `update blobs set ${flip} where sha256 = (select ${column} from versions where run_id = ${first})
      returning tenant_id, sha256`,
  })),
  ...['json', 'markdown', 'html'].map((format) => ({
    promise: 'P5',
    does: `one byte of an artifact’s ${format}`,
    table: 'blobs',
    sql: `update blobs set ${flip} where sha256 = (select sha256 from artifacts where run_id = ${first}
      and format = '${format}') returning tenant_id, sha256`,
  })),
  {
    promise: 'P5',
    does: 'one byte of evidence',
    table: 'blobs',
    sql: `update blobs set ${flip} where sha256 = (select min(hash) from evidence_revisions)
      and tenant_id = (select min(id) from tenants) returning tenant_id, sha256`,
  },
  {
    promise: 'P5',
    does: 'one byte of an answer',
    table: 'blobs',
    sql: `update blobs set ${flip} where sha256 = (select output_hash from engine_calls
      where call_key = 'repair:1') returning tenant_id, sha256`,
  },
  {
    promise: 'P5',
    does: 'one letter of a hash',
    table: 'blobs',
    sql: `update blobs set sha256 = 'f' || substr(sha256, 2) where sha256 = (select min(sha256) from blobs)
      returning tenant_id, sha256`,
  },
  {
    promise: 'P5',
    does: 'a package removed',
    table: 'blobs',
    sql: `delete from blobs where sha256 = (select package_hash from versions where run_id = ${first})
      returning tenant_id, sha256`,
  },
  {
    promise: 'P5',
    does: 'an artifact removed',
    table: 'artifacts',
    sql: `delete from artifacts where run_id = ${first} and format = 'html' returning tenant_id, id`,
  },
  {
    promise: 'P5',
    does: 'an artifact added',
    table: 'artifacts',
    sql: `insert into artifacts select a.* from artifacts as o, jsonb_populate_record(o,
      jsonb_build_object('id', 'art_7' || substr(o.id, 6), 'format', 'pdf')) as a
      where o.run_id = ${first} and o.format = 'html' returning tenant_id, id`,
  },
  {
    promise: 'P5',
    does: 'a version removed',
    table: 'versions',
    sql: `delete from versions where run_id = ${first} returning tenant_id, id`,
  },
  {
    promise: 'P5',
    does: 'a byte of a specification',
    table: 'specification_revisions',
    sql: `update specification_revisions set body = replace(body, '"weekly"', '"weekly" ')
      where tenant_id = (select min(id) from tenants) returning tenant_id, specification_id, revision`,
  },
  {
    promise: 'P5',
    does: 'an event’s number',
    table: 'run_events',
    sql: `update run_events set seq = 99 where run_id = ${first} and seq = 5
      returning tenant_id, run_id, seq`,
  },
  {
    promise: 'P5',
    does: 'an event’s name',
    table: 'run_events',
    sql: `update run_events set type = 'run.blocked', data = '{"stage":"cadence","code":"X"}'
      where run_id = (select id from runs where state = 'failed') and type = 'run.failed'
      returning tenant_id, run_id, seq`,
  },
  {
    promise: 'P5',
    does: 'an event’s data',
    table: 'run_events',
    sql: `update run_events set data = '{"stage":"retrieve","durationMs":"5"}' where run_id = ${first} and seq = 3
      returning tenant_id, run_id, seq`,
  },
  {
    promise: 'P5',
    does: 'the last event removed',
    table: 'runs',
    sql: `delete from run_events where run_id = (select id from runs where state = 'failed')
      and type = 'run.failed'`,
    row: `select tenant_id, id from runs where state = 'failed'`,
  },
  {
    promise: 'P5',
    does: 'a success that the audit forgot',
    table: 'runs',
    sql: `delete from audit_unchained; delete from audit_events where id = (select max(id) from audit_events)
      and action = 'run.succeeded'`,
    row: `select tenant_id, id from runs where id = (
        select max(id) from runs where state = 'succeeded')`,
  },
  {
    promise: 'P5',
    does: 'a score',
    table: 'runs',
    sql: `update runs set score = score - 0.001 where id = ${first} returning tenant_id, id`,
  },
  {
    promise: 'P5',
    does: 'a link removed',
    table: 'audit_chain',
    sql: `delete from audit_chain where seq = 3 and tenant_id = (select min(id) from tenants)`,
    row: `select tenant_id, seq::int from audit_chain where seq = 4 and tenant_id = (select min(id) from tenants)`,
  },
  {
    promise: 'P5',
    does: 'the end of the chain cut off',
    table: 'audit_events',
    sql: `delete from audit_chain where (tenant_id, seq) in (
        select tenant_id, max(seq) from audit_chain group by tenant_id)`,
    row: `select e.tenant_id, e.id from audit_events e where not exists (select from audit_chain c
        where c.event_id = e.id) order by e.id limit 1`,
  },
  {
    promise: 'P5',
    does: 'an event waiting although it is linked',
    table: 'audit_events',
    sql: `insert into audit_unchained select tenant_id, event_id from audit_chain order by event_id limit 1
      returning tenant_id, event_id as id`,
  },
  {
    promise: 'P5',
    does: 'a trigger switched off',
    table: 'pg_trigger',
    sql: `alter table artifacts disable trigger immutable`,
    row: `select 'artifacts' as table, 'immutable' as trigger`,
  },
  {
    promise: 'P5',
    does: 'a trigger switched off on a partition',
    table: 'pg_trigger',
    sql: `do $$ begin execute format('alter table %I disable trigger immutable',
      (select tableoid::regclass from run_events limit 1)); end $$`,
    row: `select tableoid::regclass::text as table, 'immutable' as trigger from run_events limit 1`,
  },
  {
    promise: 'P5',
    does: 'a trigger removed',
    table: 'pg_trigger',
    sql: `drop trigger immutable_truncate on audit_chain`,
    row: `select 'audit_chain' as table, 'immutable_truncate' as trigger`,
  },
  {
    promise: 'P5',
    does: 'a trigger that lets updates pass',
    table: 'pg_trigger',
    sql: `drop trigger immutable on versions; create trigger immutable before delete on versions
      for each row execute function refuse_change()`,
    row: `select 'versions' as table, 'immutable' as trigger`,
  },
  {
    promise: 'P5',
    does: 'a function that refuses nothing',
    table: 'pg_proc',
    sql: `create or replace function refuse_change() returns trigger language plpgsql
      as 'begin return new; end'`,
    row: `select 'refuse_change' as function`,
  },
  {
    promise: 'P5',
    does: 'a unique key removed',
    table: 'pg_index',
    sql: `drop index slots_run`,
    row: `select 'slots_run' as index`,
  },

  // Requests
  {
    promise: 'P6',
    does: 'one letter of a request’s hash',
    table: 'engine_calls',
    sql: `update engine_calls set request_hash = 'f' || substr(request_hash, 2) where run_id = ${first}
      returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P6',
    does: 'one letter of a call',
    table: 'engine_calls',
    sql: `update engine_calls set call = replace(call, 'Correct', 'Korrect') where call_key = 'repair:1'
      returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P6',
    does: 'a call that is no JSON any more',
    table: 'engine_calls',
    sql: `update engine_calls set call = substr(call, 2) where run_id = ${first}
      returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P6',
    does: 'one byte of what a repair was told',
    table: 'engine_calls',
    sql: `update blobs set ${flip} where sha256 = (select call::jsonb #>> '{inputHashes,0}'
      from engine_calls where call_key = 'repair:1')`,
    row: `select tenant_id, run_id, call_key, seq from engine_calls where call_key = 'repair:1'`,
  },
  {
    promise: 'P6',
    does: 'another package',
    table: 'engine_calls',
    sql: `update engine_calls set package_hash = (select package_hash from versions
      where run_id = (select max(run_id) from versions where tenant_id = (select min(id) from tenants)))
      where run_id = ${first} returning tenant_id, run_id, call_key, seq`,
  },

  // Refinement within its limits
  {
    promise: 'P7',
    does: 'an act of a refinement removed',
    table: 'refinement_roots',
    sql: `delete from audit_events where subject = ${refined} and action = 'refinement.started'`,
    row: `select tenant_id, run_id from refinement_roots where run_id = ${refined}`,
  },

  // Paid once
  {
    promise: 'P10',
    does: 'a lost answer that was known',
    table: 'engine_calls',
    sql: `update engine_calls set state = 'settled', unknown_at = null, output_hash = request_hash
      where run_id = ${repaired} and call_key = 'draft:1' and seq = 1`,
    row: `select tenant_id, run_id, call_key, seq from engine_calls
      where run_id = ${repaired} and call_key = 'draft:1' and seq = 2`,
  },
  {
    promise: 'P10',
    does: 'a send removed',
    table: 'engine_calls',
    sql: `delete from engine_calls where run_id = ${repaired} and call_key = 'draft:1' and seq = 1`,
    row: `select tenant_id, run_id, call_key, seq from engine_calls
      where run_id = ${repaired} and call_key = 'draft:1' and seq = 2`,
  },
  {
    promise: 'P10',
    does: 'a claim on a call that has ended',
    table: 'call_claims',
    sql: `insert into call_claims select tenant_id, run_id, call_key, seq, worker_id from engine_calls
      where run_id = ${first} returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P10',
    does: 'a claim on a call that there is not',
    table: 'call_claims',
    sql: `insert into call_claims select tenant_id, run_id, call_key, seq + 1, worker_id from engine_calls
      where run_id = ${first} returning tenant_id, run_id, call_key, seq`,
  },
  {
    promise: 'P10',
    does: 'a call opened that nobody claims',
    table: 'engine_calls',
    sql: `update engine_calls set state = 'open' where run_id = ${first}
      returning tenant_id, run_id, call_key, seq`,
  },
]

describe('a superuser’s hand is seen', () => {
  it.each(tampers)('$promise: $does', async ({ promise, table, sql, row: find }) => {
    await withCopy(async ({ tamper, verify }) => {
      const changed = await tamper(sql)
      const [row] = find === undefined ? changed : await tamper(find)
      expect(row).toBeDefined()
      const report = await verify()
      expect(report.ok).toBe(false)
      expect(problemsOf(report, promise)).toContainEqual(
        expect.objectContaining({ table, row, what: expect.stringMatching(/./) }),
      )
    })
  })
})

/** Of each table a row, the key that names it, and the columns in which nothing is recorded for good. */
const recorded = [
  {
    table: 'artifacts',
    key: ['tenant_id', 'id'],
    where: `run_id = ${first} and format = 'json'`,
    free: [],
  },
  { table: 'versions', key: ['tenant_id', 'id'], where: `run_id = ${first}`, free: [] },
  {
    table: 'audit_events',
    key: ['tenant_id', 'id'],
    where: `action = 'run.succeeded' and subject = ${first}`,
    free: [],
  },
  // When a link was made is not part of the chain.
  { table: 'audit_chain', key: ['tenant_id', 'seq'], where: 'seq = 2', free: ['linked_at'] },
]

/** Another value of a type, as near as can be. */
const changed: Record<string, (column: string) => string> = {
  text: (column) =>
    `left(${column}, -1) || case right(${column}, 1) when '0' then '1' else '0' end`,
  integer: (column) => `${column} + 1`,
  bigint: (column) => `${column} + 1000`,
  boolean: (column) => `not ${column}`,
  'double precision': (column) => `${column} - 0.000001`,
  'timestamp with time zone': (column) => `${column} + interval '1 millisecond'`,
  ARRAY: (column) => `${column} || '{ver_x}'`,
}

describe('every column is held against what was recorded', () => {
  it.each(recorded)('of $table', async ({ table, key, where, free }) => {
    await withCopy(async ({ tamper, verify }) => {
      await tamper('alter table artifacts drop constraint artifacts_classification_check')
      const columns = await tamper(
        `select column_name as name, data_type as type from information_schema.columns
          where table_schema = 'almanac' and table_name = '${table}'`,
      )
      const [before] = await tamper(
        `select to_jsonb(t) as row from ${table} t where ${where} limit 1`,
      )
      const row = before?.['row'] as Record<string, unknown>
      const keyOf = (columns: Record<string, unknown>) =>
        Object.fromEntries(key.map((column) => [column, columns[column]]))
      const named = (problems: Problem[], keys: object[]) =>
        problems.some((one) => {
          const is = JSON.stringify(one.row)
          return one.table === table && keys.some((known) => JSON.stringify(known) === is)
        })

      const unseen: unknown[] = []
      for (const { name, type } of columns) {
        const change = changed[String(type)]
        if (!change) throw new Error(`how to change ${String(name)}, a ${String(type)}?`)
        const at = key.map((column) => `${column} = '${String(row[column])}'`).join(' and ')
        const [after] = await tamper(
          `update ${table} t set ${String(name)} = ${change(String(name))} where ${at}
            returning ctid, to_jsonb(t) as row`,
        )
        const report = await verify()
        const keys = [keyOf(row), keyOf(after?.['row'] as Record<string, unknown>)]
        if (!named(problemsOf(report), keys)) unseen.push(name)
        await tamper(`delete from ${table} where ctid = '${String(after?.['ctid'])}'`)
        await tamper(
          `insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`,
          [JSON.stringify(row)],
        )
      }
      expect(columns.length).toBeGreaterThan(4)
      expect(unseen).toEqual(free)
      expect((await verify()).ok).toBe(true)
    })
  })
})

describe('almanac verify', () => {
  let exitCode: typeof process.exitCode
  beforeAll(() => {
    exitCode = process.exitCode
  })
  afterEach(() => {
    process.exitCode = exitCode
  })

  /** What the command prints, and its exit code. */
  const tell = async (db: Database, json = false) => {
    const screen = recordingScreen({ json })
    process.exitCode = 0
    await verifyAndTell(db, { codec: plainCodec, engines: [createPaidEngine()], kinds }, screen)
    return { lines: screen.said, results: screen.results, code: process.exitCode }
  }

  it('prints a line a check, and ends with 0 when everything is as it must be', async () => {
    await withCopy(async ({ db }) => {
      const { lines, results, code } = await tell(db)
      expect(code).toBe(0)
      const checks = lines.filter((line) => /^✓ P\d+ +.*: \d+/.test(line))
      expect(checks.map((line) => line.split(' ')[1])).toEqual(
        'P1 P2 P3 P4 P4 P5 P5 P5 P5 P5 P5 P6 P7 P10'.split(' '),
      )
      expect(lines.at(-1)).toBe('Everything that is stored is as it must be.')
      expect(lines).toHaveLength(checks.length + 2)
      expect(results).toEqual([expect.objectContaining({ ok: true, unchecked: [] })])
    })
  })

  it('names the row and ends with 1 when one byte of a package was changed', async () => {
    await withCopy(async ({ db, tamper }) => {
      const [blob] = await tamper(
        `update blobs set ${flip} where sha256 = (select package_hash from versions
          where run_id = $1) returning tenant_id, sha256`,
        [world.repaired],
      )
      const { lines, code } = await tell(db)
      expect(code).toBe(1)
      const { tenant_id, sha256 } = blob ?? {}
      expect(lines.filter((line) => line.includes('its content has the hash'))).toEqual([
        expect.stringContaining(`blobs (tenant_id ${tenant_id}, sha256 ${sha256}): it was changed`),
      ])
      expect(lines.join('\n')).toContain(`the package in engine_calls of ${world.repaired}`)
      expect(
        lines.filter((line) => line.startsWith('✕')).map((line) => line.split(' ')[1]),
      ).toEqual(['P5', 'P6'])
    })
  })

  it('says of an empty database that there is nothing to check yet', async () => {
    const own = await startOwnPostgres()
    try {
      await migrate({ url: own.url })
      const db = await connectDatabase({ url: own.url })
      const { lines, code } = await tell(db)
      expect(code).toBe(0)
      expect(lines).toContain('Nothing to check yet for P1, P2, P3, P6, P7, P10.')
      expect(lines.filter((line) => line.includes('nothing to check yet'))).toHaveLength(12)

      // Roles belong to the whole cluster, so only a server of one's own may have wrong ones.
      await asSuperuser(own.url, async (client) => {
        await client.query('alter role almanac_operator_read bypassrls')
        await client.query('grant almanac_system to almanac_app')
      })
      const { lines: wrong, code: failed } = await tell(db)
      expect(failed).toBe(1)
      expect(wrong.join('\n')).toMatch(/\(role almanac_operator_read\): the role has BYPASSRLS/)
      expect(wrong.join('\n')).toMatch(
        /\(role almanac_app\): the role is a member of almanac_system/,
      )
      await db.close()
    } finally {
      await own.stop()
    }
  })
})
