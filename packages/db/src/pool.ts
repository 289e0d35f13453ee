import { parse, tenantId as tenantIdSchema, type TenantId } from '@almanac/domain'
import { CompiledQuery, Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely'
import type { EventEmitter } from 'node:events'
import { Client, Pool } from 'pg'
import { assertVersion, connectionOf, whereOf, type DatabaseUrls } from './connection.ts'
import { databaseFailure } from './database-failure.ts'
import { prepareStatements } from './prepare-statements.ts'
import type { Schema } from './schema.ts'

export type { DatabaseUrls } from './connection.ts'

export interface DatabaseOptions extends DatabaseUrls {
  /** Connections at most; 10 each unless told. */
  poolSizes?: { app?: number; system?: number }
}

/** A connection inside a transaction: what the functions of this package take first. */
export type Trx = Kysely<Schema>

/** Why something acts for all tenants; stands in pg_stat_activity. */
export type Purpose =
  | 'access'
  | 'admission'
  | 'bootstrap'
  | 'chain'
  | 'commit'
  | 'content'
  | 'controls'
  | 'deliveries'
  | 'events'
  | 'leadership'
  | 'leases'
  | 'ledger'
  | 'marks'
  | 'operators'
  | 'probes'
  | 'rates'
  | 'readiness'
  | 'refinement'
  | 'schedules'
  | 'spending'
  | 'sweep'
  | 'tenants'
  | 'verify'

/** A connection of one's own, for what belongs to a session, such as an advisory lock. */
export interface DedicatedConnection {
  query<R>(sql: string, parameters?: readonly unknown[]): Promise<R[]>
  /** Aborts when the connection ends, for whatever reason. */
  lost: AbortSignal
  /** Called for every notification of a channel that the connection listens to. */
  onNotification(listener: () => void): void
  end(): Promise<void>
}

/**
 * The two ways into the database. Both run `work` in one transaction, rolled back when it throws;
 * all throw DATABASE_UNREACHABLE when the connection fails.
 */
export interface Database {
  /** As `almanac_app`: Row-Level Security shows and takes the rows of this tenant only. */
  withTenant<T>(tenantId: TenantId, work: (trx: Trx) => Promise<T>): Promise<T>
  /** As `almanac_system`: all tenants, no content. The files that may are listed in the architecture test. */
  withSystem<T>(purpose: Purpose, work: (trx: Trx) => Promise<T>): Promise<T>
  /** One statement as `almanac_app`, in one round trip: of a function that sets the tenant itself. */
  queryTenant<R>(statement: RawBuilder<R>): Promise<R[]>
  /** One statement as `almanac_system`, in one round trip. */
  querySystem<R>(purpose: Purpose, statement: RawBuilder<R>): Promise<R[]>
  /** A new connection as `almanac_system` outside the pool; `close` ends it too. */
  dedicate(purpose: Purpose): Promise<DedicatedConnection>
  close(): Promise<void>
}

/**
 * Opens the pools and makes sure that the server answers and fits.
 * Throws DATABASE_UNREACHABLE, DATABASE_UNSUITABLE, DATABASE_NOT_MIGRATED (a role is missing).
 */
export async function connectDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, appUrl = url, systemUrl = url, poolSizes = {} } = options
  const app = openPool(appUrl, 'app', poolSizes.app ?? 10)
  const system = openPool(systemUrl, 'system', poolSizes.system ?? 10)
  const dedicated = new Set<DedicatedConnection>()
  let closing: Promise<void> | undefined

  const database: Database = {
    async withTenant(tenantId, work) {
      // The id stands in the statement itself, so it is parsed whatever its type says.
      const id = parse(tenantIdSchema, tenantId, 'tenantId')
      return app.transaction(`begin; select set_config('app.tenant', '${id}', true)`, work)
    },
    async withSystem(purpose, work) {
      return system.transaction(
        `begin; select set_config('application_name', 'almanac-system-${purpose}', true)`,
        work,
      )
    },
    queryTenant: app.query,
    querySystem: (_purpose, statement) => system.query(statement),
    async dedicate(purpose) {
      const connection = await openDedicated(systemUrl, purpose)
      dedicated.add(connection)
      connection.lost.addEventListener('abort', () => dedicated.delete(connection))
      return connection
    },
    close: () =>
      (closing ??= (async () => {
        await Promise.all([...dedicated].map(({ end }) => end()))
        await Promise.all([app.close(), system.close()])
      })()),
  }
  try {
    await assertVersion(async () => {
      const statement = sql<{
        version: string
      }>`select current_setting('server_version_num') as version`
      return (await system.query(statement))[0]?.version
    })
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function openDedicated(url: string, purpose: Purpose): Promise<DedicatedConnection> {
  const client = new Client({
    ...connectionOf(url, 'system'),
    application_name: `almanac-system-${purpose}`,
  })
  const lost = new AbortController()
  client.on('error', () => lost.abort())
  client.on('end', () => lost.abort())
  try {
    await client.connect()
  } catch (error) {
    throw databaseFailure(error, whereOf(url))
  }
  let turn: Promise<unknown> = Promise.resolve()
  return {
    // node-postgres wants one query of a client at a time.
    query: <R>(statement: string, parameters?: readonly unknown[]) => {
      const answer = turn.then(() => client.query<R>(statement, parameters))
      turn = answer.catch(() => undefined)
      return answer.then(({ rows }) => rows)
    },
    lost: lost.signal,
    onNotification: (listener) => void client.on('notification', listener),
    end: () => client.end(),
  }
}

interface RolePool {
  transaction<T>(begin: string, work: (trx: Trx) => Promise<T>): Promise<T>
  query<R>(statement: RawBuilder<R>): Promise<R[]>
  close(): Promise<void>
}

/** A pool whose connections act in one role. */
function openPool(url: string, role: string, size: number): RolePool {
  const settings = connectionOf(url, role)
  const pool = new Pool({
    ...settings,
    // A process that stops in the middle of a transaction must not keep its locks.
    options: `${settings.options} -c idle_in_transaction_session_timeout=60000`,
    max: size,
    idleTimeoutMillis: 60_000,
  })
  // A connection that breaks leaves the pool, and whoever uses it learns by the next query. Without
  // these listeners it would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client: EventEmitter) => client.on('error', () => undefined))
  prepareStatements(pool)
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  const where = whereOf(url)
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw databaseFailure(error, where)
    }
  }
  return {
    transaction: (begin, work) =>
      translated(() =>
        kysely.connection().execute((trx) => inTransaction(trx, begin, () => work(trx))),
      ),
    query: (statement) => translated(async () => (await statement.execute(kysely)).rows),
    // Kysely ends a pool only if it has used it.
    close: () => pool.end(),
  }
}

/** Begin and its settings take one round trip, commit another. */
async function inTransaction<T>(trx: Trx, begin: string, work: () => Promise<T>): Promise<T> {
  await trx.executeQuery(CompiledQuery.raw(begin))
  let result: T
  try {
    result = await work()
  } catch (error) {
    // A failing rollback means that the connection is gone, and the transaction with it.
    await trx.executeQuery(CompiledQuery.raw('rollback')).catch(() => undefined)
    throw error
  }
  const { rows } = await trx.executeQuery<{ command: string }>(CompiledQuery.raw('commit'))
  if (rows[0]?.command === 'ROLLBACK')
    throw new Error('the transaction was rolled back: an error in it was swallowed')
  return result
}
