import { AlmanacError } from '@almanac/domain'
import {
  LATEST_SCHEMA_VERSION,
  PostgresConnection,
  PostgresQueueBackend,
  SchemaMigrationRequiredError,
} from 'bullmq'
import type { EventEmitter } from 'node:events'
import { reasonOf, type Driver } from './driver.ts'

export interface PostgresOptionsOfAlmanac {
  /** A `postgres://` URL; the queue lives there in a schema of its own, `bullmq`. */
  databaseUrl: string
  onPool?: ((pool: EventEmitter) => void) | undefined
  onError(error: unknown): void
}

/** Query connections of one process; with more of them chains of jobs got slower, not faster. */
const poolSize = 4

type ListenClient = Awaited<ReturnType<PostgresConnection['getListenClient']>>

/**
 * One pool and one LISTEN connection for all queues and workers of a process. BullMQ would open both
 * for each of them: 68 connections for ten stages, where this takes five.
 */
class SharedConnection extends PostgresConnection {
  readonly #serial = new WeakSet<object>()

  constructor(databaseUrl: string, { migrate = false } = {}) {
    super({
      connectionString: databaseUrl,
      migrate,
      max: poolSize,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: 10_000,
      // A frozen server must not hold a producer for ever; a migration may have to wait for another.
      ...(migrate ? {} : { query_timeout: 10_000 }),
      keepAlive: true,
      application_name: 'almanac-queue',
      // Jobs can be made again from the tables that decide: no commit here has to reach the disk.
      options: '-c synchronous_commit=off',
    })
    this.setMaxListeners(0)
  }

  /** Ten workers share it, and each says LISTEN: one after the other, as the driver wants it. */
  override async getListenClient(): Promise<ListenClient> {
    const client = await super.getListenClient()
    if (this.#serial.has(client)) return client
    this.#serial.add(client)
    if ('setMaxListeners' in client && typeof client.setMaxListeners === 'function')
      client.setMaxListeners(0)
    const query = client.query.bind(client)
    let last: Promise<unknown> = Promise.resolve()
    client.query = (text, params) => {
      const next = last.then(() => query(text, params))
      last = next.catch(() => undefined)
      return next as never
    }
    return client
  }

  /** Queues and workers come and go; only `end` closes what they share. */
  override async close(): Promise<void> {
    return Promise.resolve()
  }

  end(): Promise<void> {
    return super.close()
  }
}

/** BullMQ answers the failure of a group of jobs beside each of them, and then passes over it. */
class SureBackend extends PostgresQueueBackend {
  override async addFlow(...args: Parameters<PostgresQueueBackend['addFlow']>) {
    const answers = await super.addFlow(...args)
    const failure = answers?.find(([error]) => error)?.[0]
    if (failure) throw failure
    return answers
  }
}

/** BullMQ on Postgres. Throws QUEUE_UNREACHABLE, or DATABASE_NOT_MIGRATED before `migrateQueue`. */
export async function createPostgresDriver({
  databaseUrl,
  onPool,
  onError,
}: PostgresOptionsOfAlmanac): Promise<Driver<object>> {
  const connection = new SharedConnection(databaseUrl)
  onPool?.(connection.pool as unknown as EventEmitter)
  const shared = await connect(databaseUrl, connection, onError)
  return {
    name: 'postgres',
    where: hostOf(databaseUrl),
    // Only workers, which wait on it, have to hear when the LISTEN connection is made anew.
    factory: (name, options, { withBlockingConnection = false } = {}) =>
      new PostgresQueueBackend(shared, name, options as never, withBlockingConnection),
    together: (name, options) => new SureBackend(shared, name, options as never),
    producer: {},
    consumer: () => ({}),
    prefix: () => undefined,
    ping: () => shared.pool.query('select 1'),
    existing: async (stage, ids) => {
      const { rows } = await shared.pool.query<{ id: string }>(
        'select id from job where queue = $1 and id = any($2)',
        [stage, ids],
      )
      return new Set(rows.map(({ id }) => id))
    },
    close: () => shared.end(),
  }
}

/** Creates or updates the queue's schema `bullmq`; safe to repeat and when two processes do it at once. */
export async function migrateQueue({ databaseUrl }: { databaseUrl: string }): Promise<void> {
  const connection = new SharedConnection(databaseUrl, { migrate: true })
  const shared = await connect(databaseUrl, connection, () => undefined)
  await shared.pool.query(withoutEvents)
  await shared.end()
}

/**
 * BullMQ tells of every step of every job: four rows and four notifications a job, a tenth of all that
 * a run costs the server. Nobody reads them: a run's events are the database's. Jobs wake their workers
 * by a channel of their own.
 */
const withoutEvents = `create or replace function publish_event(p_queue text, p_event text, p_data jsonb)
  returns bigint language sql as $$ select null::bigint $$`

async function connect(
  databaseUrl: string,
  connection: SharedConnection,
  onError: (error: unknown) => void,
): Promise<SharedConnection> {
  connection.on('error', onError)
  try {
    await connection.waitUntilReady()
    return connection
  } catch (cause) {
    await connection.end()
    if (cause instanceof SchemaMigrationRequiredError)
      throw new AlmanacError('DATABASE_NOT_MIGRATED', { missing: LATEST_SCHEMA_VERSION }, { cause })
    const where = hostOf(databaseUrl)
    throw new AlmanacError('QUEUE_UNREACHABLE', { where, reason: reasonOf(cause) }, { cause })
  }
}

const hostOf = (databaseUrl: string): string =>
  (URL.canParse(databaseUrl) && new URL(databaseUrl).host) || 'its socket'
