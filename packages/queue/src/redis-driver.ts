import { AlmanacError } from '@almanac/domain'
import { createRedisBackend, type ConnectionOptions } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import { reasonOf, type Driver } from './driver.ts'
import { assertSuitableRedis } from './redis-server-facts.ts'

export interface RedisOptionsOfAlmanac {
  /** `redis://` or `rediss://`. */
  redisUrl: string
  /** The first part of every key; another Almanac on the same Redis needs another one. */
  prefix: string
  production: boolean
  onError(error: unknown): void
}

type ClientOptions = Omit<RedisOptions, 'replyMapping'>

const common: ClientOptions = {
  lazyConnect: true,
  connectTimeout: 5_000,
  retryStrategy: (times) => Math.min(50 * times, 1_000),
}

/** A producer would rather be told than wait: what it could not add waits in Postgres. */
const failFast: ClientOptions = {
  ...common,
  // Commands of one turn of the event loop are one write to the server's socket.
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 5_000,
}

/** A worker waits for its server as long as it takes; BullMQ asks for this. */
const waitForever: ClientOptions = { ...common, maxRetriesPerRequest: null }

/**
 * BullMQ on Redis or Valkey. Each stage's keys share a hash tag, `{almanac-execute}:…`, so that a
 * cluster keeps them together. One connection adds; two a stage finish and wait for jobs. Over one for all
 * stages, this process and Redis take turns instead of working side by side.
 */
export async function createRedisDriver({
  redisUrl,
  prefix,
  production,
  onError,
}: RedisOptionsOfAlmanac): Promise<Driver<ConnectionOptions>> {
  const where = hostOf(redisUrl)
  const open = (options: ClientOptions): Redis => {
    const client = new Redis(redisUrl, { ...options, connectionName: prefix })
    client.on('error', onError)
    return client
  }

  const producer = open(failFast)
  let failure: unknown
  try {
    producer.once('error', (error) => (failure = error))
    await producer.connect()
    assertSuitableRedis(await producer.info(), { production })
  } catch (cause) {
    producer.disconnect()
    if (cause instanceof AlmanacError) throw cause
    // The promise only says that the connection is closed; the event before it says why.
    const reason = reasonOf(failure ?? cause)
    throw new AlmanacError('QUEUE_UNREACHABLE', { where, reason }, { cause })
  }

  const consumers: Redis[] = []
  return {
    name: 'redis',
    where,
    factory: createRedisBackend,
    producer,
    consumer: () => {
      const client = open(waitForever)
      consumers.push(client)
      return client
    },
    prefix: (stage) => `{${prefix}-${stage}}`,
    ping: () => producer.ping(),
    existing: async (_stage, ids, toKey) => {
      const pipeline = producer.pipeline()
      for (const id of ids) pipeline.exists(toKey(id))
      const answers = (await pipeline.exec()) ?? []
      return new Set(
        ids.filter((_, i) => {
          const [error, count] = answers[i] ?? [null, 0]
          if (error) throw error
          return count === 1
        }),
      )
    },
    close: async () => {
      await Promise.all([producer, ...consumers].map(quit))
    },
  }
}

async function quit(client: Redis): Promise<void> {
  if (client.status === 'ready') await client.quit().catch(() => undefined)
  client.disconnect()
}

function hostOf(redisUrl: string): string {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : undefined
  if (url && ['redis:', 'rediss:'].includes(url.protocol)) return url.host || 'localhost:6379'
  throw new AlmanacError('CONFIG_INVALID', {
    issues: [
      { field: 'REDIS_URL', message: 'must be a URL that begins with redis:// or rediss://' },
    ],
  })
}
