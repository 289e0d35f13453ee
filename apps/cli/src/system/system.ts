import { createApi, startApi, type RunningApi } from '@almanac/api'
import { createOperations, createPorts, type Database } from '@almanac/db'
import { createKinds } from '@almanac/documents'
import { findIndustryByHash, getIndustry, industryHash } from '@almanac/industries'
import { createDeterministicEngine } from '@almanac/llm'
import { rememberContent, type Engine, type Ports } from '@almanac/pipeline'
import { createQueueBackend, type QueueBackend } from '@almanac/queue'
import { randomIds, systemClock, type Config, type Logger, type Shutdown } from '@almanac/runtime'
import { fileDeliverer, startWorker, type RunningWorker } from '@almanac/worker'
import { openDatabase, type OpenDatabase } from './database.ts'

export const version = '0.1.0'

/** Characters of content, in thousands, that a process remembers: what it stored it need not read. */
const rememberedKilochars = 16_000

/** Everything of one process, running. */
export interface System {
  db: Database
  worker: RunningWorker
  api: RunningApi
  backend: QueueBackend
}

/** The parts that packages are made of, put together: the only place where they meet. */
export function createRunnerPorts(
  { db, codec }: Pick<OpenDatabase, 'db' | 'codec'>,
  engine: Engine,
) {
  const stored = createPorts(db, { codec })
  return {
    ...stored,
    content: rememberContent(stored.content, rememberedKilochars),
    clock: systemClock,
    ids: randomIds,
    industries: { get: getIndustry, hash: industryHash },
    kinds: createKinds({ industryByHash: findIndustryByHash }),
    engine,
    rates: unlimitedRates,
    identity: { workerId: randomIds.next('worker') },
  }
}

/** The offline engine has no provider whose rates could be passed. */
const unlimitedRates: Ports['rates'] = { take: () => Promise.resolve({ granted: true }) }

export function createEngine({ engine }: Config): Engine {
  switch (engine.kind) {
    case 'deterministic':
      return createDeterministicEngine()
    case 'openai':
      throw new Error('the openai engine is not part of this version yet')
  }
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

  const ports = createRunnerPorts({ db, codec }, createEngine(config))
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
    ready: {
      queue: () => backend.ping(),
      worker: () => Promise.resolve(worker.stats().leaseLeftMs > 0),
    },
  })
  const api = await startApi(app, config.api)
  shutdown.onShutdown('API', () => api.close())
  return { db, worker, api, backend }
}
