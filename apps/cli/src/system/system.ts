import { createApi, startApi, type RunningApi } from '@almanac/api'
import { createOperations, type Database } from '@almanac/db'
import { createQueueBackend, type QueueBackend } from '@almanac/queue'
import type { Config, Logger, Shutdown } from '@almanac/runtime'
import { fileDeliverer, startWorker, type RunningWorker } from '@almanac/worker'
import { openDatabase } from './database.ts'
import { createEngine } from './engine.ts'
import { createRunnerPorts } from './runner-ports.ts'

const version = '0.1.0'

/** Everything of one process, running. */
export interface System {
  db: Database
  worker: RunningWorker
  api: RunningApi
  backend: QueueBackend
}

/** Opens database and queue, starts worker and API; `shutdown` closes all in reverse. */
export async function startSystem(
  config: Config,
  log: Logger,
  shutdown: Shutdown,
): Promise<System> {
  const { db, url, codec } = await openDatabase(config, log, shutdown)
  const onError = (cause: unknown) => {
    log.warn({ cause }, 'the queue failed and goes on')
  }
  const backend = await createQueueBackend({
    databaseUrl: url,
    redisUrl: config.redisUrl ?? undefined,
    production: config.production,
    onError,
  })
  shutdown.onShutdown('queue', () => backend.close())

  const ports = createRunnerPorts({ db, codec }, await createEngine(config, log))
  const worker = await startWorker({
    ports,
    operations: createOperations(db),
    backend,
    deliverers: { file: fileDeliverer({ dir: config.deliveryDir, content: ports.content }) },
    log,
    version,
    onLost: () => void shutdown.begin('the lease is lost', 1),
    concurrency: { execute: config.concurrency },
  })
  shutdown.onShutdown('worker', () => worker.stop(config.shutdownGraceMs))

  const app = createApi({
    db,
    content: ports.content,
    log,
    wake: worker.wake,
    wakeCancel: worker.wakeCancel,
    checkAnswers: !config.production,
    ready: {
      queue: () => backend.ping(),
      worker: () => Promise.resolve(worker.stats().leaseLeftMs > 0),
    },
  })
  const api = await startApi(app, config.api)
  shutdown.onShutdown('API', (graceOver) => api.close(graceOver))
  return { db, worker, api, backend }
}
