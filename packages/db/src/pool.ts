import { AlmanacError, parse, tenantId as tenantIdSchema, type TenantId } from '@almanac/domain'
import { CompiledQuery, Kysely, PostgresDialect, sql, type RawBuilder } from 'kysely'
import type { EventEmitter } from 'node:events'
import { Client, Pool } from 'pg'
import { columnTypes } from './column-types.ts'
import { databaseFailure } from './database-failure.ts'
import type { Schema } from './schema.ts'

/** Where Postgres is. `url`'s login is a member of all roles; a role may have a login of its own. */
export interface DatabaseUrls {
  url: string
  ownerUrl?: string | undefined
  appUrl?: string | undefined
  systemUrl?: string | undefined
}

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
  | 'leadership'
  | 'leases'
  | 'ledger'
  | 'marks'
  | 'operators'
  | 'readiness'
  | 'schedules'
  | 'sweep'
  | 'tenants'
  | 'verify'

/** A connection of one's own, for what belongs to a session, such as an advisory lock. */
export interface DedicatedConnection {
  query<R>(sql: string, parameters?: readonly unknown[]): Promise<R[]>
  /** Aborts when the connection ends, for whatever reason. */
  lost: AbortSignal
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

const oldestServer = 15

/**
 * Opens the pools and makes sure that the server answers and fits.
 * Throws DATABASE_UNREACHABLE, DATABASE_UNSUITABLE, DATABASE_NOT_MIGRATED (a role is missing).
 */
export async function connectDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, appUrl = url, systemUrl = url, poolSizes = {} } = options
  const app = openPool(appUrl, 'app', poolSizes.app ?? 10)
  const system = openPool(systemUrl, 'system', poolSizes.system ?? 10)
  const dedicated = new Set<Client>()

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
      const client = new Client({
        ...connectionOf(systemUrl, 'system'),
        application_name: `almanac-system-${purpose}`,
      })
      const lost = new AbortController()
      const forget = () => {
        dedicated.delete(client)
        lost.abort()
      }
      client.on('error', forget)
      client.on('end', forget)
      try {
        await client.connect()
      } catch (error) {
        throw databaseFailure(error, whereOf(systemUrl))
      }
      dedicated.add(client)
      let turn: Promise<unknown> = Promise.resolve()
      return {
        // node-postgres wants one query of a client at a time.
        query: <R>(sql: string, parameters?: readonly unknown[]) => {
          const answer = turn.then(() => client.query<R>(sql, parameters))
          turn = answer.catch(() => undefined)
          return answer.then(({ rows }) => rows)
        },
        lost: lost.signal,
        end: () => client.end(),
      }
    },
    async close() {
      await Promise.all([...dedicated].map((client) => client.end()))
      await Promise.all([app.close(), system.close()])
    },
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

/** Connection settings of a role; settings in the URL's own `options` come first. */
export function connectionOf(url: string, role: string) {
  const own = /[?&]options=([^&]*)/.exec(url)?.[1]
  const settings = [
    ...(own ? [decodeURIComponent(own)] : []),
    `-c role=almanac_${role}`,
    '-c search_path=almanac',
    '-c timezone=UTC',
    '-c jit=off',
  ]
  return {
    connectionString: url.replace(/([?&])options=[^&]*&?/, '$1').replace(/[?&]$/, ''),
    options: settings.join(' '),
    application_name: `almanac-${role}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: columnTypes,
  }
}

/** `host:port` of a connection URL, for people: no login, no password. */
export function whereOf(url: string): string {
  const { host, port } = new Client({ connectionString: url })
  return `${host}:${port}`
}

/** Throws DATABASE_UNSUITABLE when the server is older than the oldest that works. */
export async function assertVersion(read: () => Promise<string | undefined>): Promise<void> {
  const version = Math.floor(Number(await read()) / 10_000)
  if (version >= oldestServer) return
  const reason = `it is Postgres ${version}, and ${oldestServer} is the oldest that works`
  throw new AlmanacError('DATABASE_UNSUITABLE', { reason })
}
