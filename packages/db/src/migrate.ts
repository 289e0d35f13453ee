import { AlmanacError } from '@almanac/domain'
import { readdir, readFile } from 'node:fs/promises'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator, type Migration, type MigrationProvider } from 'kysely/migration'
import { Client, Pool } from 'pg'
import { databaseFailure, failureCode } from './database-failure.ts'
import { ensurePartitions, monthPartitions } from './partitions.ts'
import { assertVersion, connectionOf, whereOf, type DatabaseUrls } from './connection.ts'
import type { Database } from './pool.ts'
import { prepareRoles } from './roles.ts'
import type { Schema } from './schema.ts'

const folder = new URL('./migrations/', import.meta.url)

/** Months of partitions that are made ahead; the sweep keeps it so. */
const partitionsAhead = 3

/** The migrations are the .sql files of one folder, in the order of their names; each goes forward only. */
const files: MigrationProvider = {
  async getMigrations() {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.sql'))
    const entries = names.map(async (name): Promise<[string, Migration]> => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return [name.slice(0, -4), { up: async (db) => void (await sql.raw(text).execute(db)) }]
    })
    return Object.fromEntries(await Promise.all(entries))
  },
}

/**
 * Brings the database up to this program: roles, schema, migrations, partitions. Answers the names
 * of the migrations that were applied now; none when there was nothing to do. Safe to repeat, and
 * when several processes start at once: they take turns.
 * Throws DATABASE_UNREACHABLE, DATABASE_UNSUITABLE, or what a migration threw.
 */
export async function migrate({ url, ownerUrl = url }: DatabaseUrls): Promise<string[]> {
  try {
    return await inTurn(ownerUrl, () => migrateAsOwner(ownerUrl))
  } catch (error) {
    throw databaseFailure(error, whereOf(ownerUrl))
  }
}

/** Holds a lock of this database, on a connection with the login's own rights, while `work` runs. */
async function inTurn<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'almanac-migrate' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await assertVersion(async () => {
      const { rows } = await client.query<{ version: string }>(
        `select current_setting('server_version_num') as version`,
      )
      return rows[0]?.version
    })
    await client.query(`select pg_advisory_lock(hashtext('almanac.migrate'))`)
    await prepareRoles(client)
    return await work()
  } finally {
    await client.end()
  }
}

async function migrateAsOwner(url: string): Promise<string[]> {
  const pool = new Pool({ ...connectionOf(url, 'owner'), max: 1 })
  pool.on('error', () => undefined)
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    const { error, results = [] } = await migratorOf(db).migrateToLatest()
    if (error) throw error
    await ensurePartitions(db, monthPartitions(new Date(), 1, partitionsAhead))
    return results.map(({ migrationName }) => migrationName)
  } finally {
    await db.destroy()
    await pool.end().catch(() => undefined)
  }
}

const migratorOf = (db: Kysely<Schema>): Migrator =>
  new Migrator({ db, provider: files, migrationTableSchema: 'almanac_migration' })

export interface MigrationState {
  applied: string[]
  missing: string[]
}

/** Which migrations the database has, and which of this program's it lacks. */
export async function migrationState(db: Database): Promise<MigrationState> {
  const known = Object.keys(await files.getMigrations()).sort()
  const applied = await appliedTo(db)
  return { applied, missing: known.filter((name) => !applied.includes(name)) }
}

/** Throws DATABASE_NOT_MIGRATED when the database lacks a migration of this program. */
export async function assertMigrated(db: Database): Promise<void> {
  const { missing } = await migrationState(db)
  if (missing.length > 0)
    throw new AlmanacError('DATABASE_NOT_MIGRATED', { missing: missing.length })
}

async function appliedTo(db: Database): Promise<string[]> {
  try {
    const rows = await db.querySystem(
      'readiness',
      sql<{ name: string }>`select name from almanac_migration.kysely_migration order by name`,
    )
    return rows.map(({ name }) => name)
  } catch (error) {
    // Neither the table nor a right to it: nothing was ever applied.
    if (['42P01', '42501', '3F000'].includes(failureCode(error) ?? '')) return []
    throw error
  }
}
