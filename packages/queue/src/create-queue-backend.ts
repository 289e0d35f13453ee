import type { EventEmitter } from 'node:events'
import { calm } from './calm.ts'
import type { Driver } from './driver.ts'
import { createPostgresDriver } from './postgres-driver.ts'
import type { QueueBackend, StageWorker } from './queue-backend.ts'
import { createRedisDriver } from './redis-driver.ts'
import { openStageQueues } from './stage-queues.ts'
import { createStageWorker } from './stage-worker.ts'

export interface QueueBackendOptions {
  /** Redis or Valkey; without it the queue lives in Postgres. */
  redisUrl?: string | undefined
  databaseUrl: string
  /** The first part of every Redis key; default `almanac`. */
  prefix?: string
  /** In production a Redis that keeps nothing on disk is refused. */
  production?: boolean
  /** Told of the pool of a queue in Postgres before it connects. */
  onPool?: ((pool: EventEmitter) => void) | undefined
  /** Told of connections that break, each reason once in 10 s; the queue mends them by itself. */
  onError(error: unknown): void
}

/**
 * Opens the queue that the URLs name. Throws QUEUE_UNREACHABLE, CONFIG_INVALID for a Redis that
 * would lose jobs, or DATABASE_NOT_MIGRATED when Postgres lacks the queue's schema.
 */
export async function createQueueBackend(options: QueueBackendOptions): Promise<QueueBackend> {
  const { redisUrl, databaseUrl, prefix = 'almanac', production = false, onPool } = options
  const onError = calm(options.onError)
  return redisUrl
    ? bind(await createRedisDriver({ redisUrl, prefix, production, onError }), onError)
    : bind(await createPostgresDriver({ databaseUrl, onPool, onError }), onError)
}

async function bind<C>(
  driver: Driver<C>,
  onError: (error: unknown) => void,
): Promise<QueueBackend> {
  const queues = await openStageQueues(driver, onError)
  const workers: StageWorker[] = []
  return {
    ...queues,
    name: driver.name,
    stageWorker: (stage, workerOptions) => {
      const worker = createStageWorker(driver, stage, workerOptions, queues.add)
      workers.push(worker)
      return worker
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close(0)))
      await queues.close()
      await driver.close()
    },
  }
}
