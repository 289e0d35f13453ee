import { createApi, startApi, type Api, type RunningApi } from '@almanac/api'
import { createOperations, createProbes, prepareStatements, type Database } from '@almanac/db'
import { estimateRun } from '@almanac/pipeline'
import { createQueueBackend, type QueueBackend } from '@almanac/queue'
import type { Config, Logger, Shutdown } from '@almanac/runtime'
import { fileDeliverer, startWorker, type RunningWorker } from '@almanac/worker'
import { openDatabase } from './database.ts'
import { createEmbedder, createEngine } from './engine.ts'
import { openGates, ownRates } from './gates.ts'
import { installIndustries } from './installed-industries.ts'
import { createJudge } from './judge.ts'
import { linkKeysOf } from './link-keys.ts'
import { chosenDeliverers, loadPlugins } from './plugins.ts'
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
  // Before anything else is started: what stops the start should stop it at once.
  installIndustries(config.industryFiles)
  const plugins = await loadPlugins(config, log)
  shutdown.onShutdown('plugins', () => plugins.close())
  const { db, url, codec } = await openDatabase(config, log, shutdown)
  const onError = (cause: unknown) => {
    log.warn({ cause }, 'the queue failed and goes on')
  }
  const backend = await createQueueBackend({
    databaseUrl: url,
    redisUrl: config.redisUrl ?? undefined,
    production: config.production,
    onPool: prepareStatements,
    onError,
  })
  shutdown.onShutdown('queue', () => backend.close())

  const engine = await createEngine(config, log, {
    probes: createProbes(db),
    engines: plugins.engines,
  })
  const judge = await createJudge(config, plugins, log)
  const embedder = await createEmbedder(config)
  const gates = await openGates(config, db, engine.provider, log, shutdown)
  const ports = createRunnerPorts({ db, codec }, engine, gates, plugins, { judge, embedder })
  const deliverers = {
    file: fileDeliverer({ dir: config.deliveryDir, content: ports.content }),
    ...plugins.deliverers(ports.content),
  }
  // The worker starts before the API does, and may end a run before anybody can have asked for it.
  let runEnded: Api['runEnded'] = () => undefined
  const worker = await startWorker({
    ports,
    operations: createOperations(db),
    backend,
    deliverers,
    deliverTo: chosenDeliverers(config, deliverers),
    log,
    version,
    onRunEnd: (runId) => {
      runEnded(runId)
    },
    onLost: () => void shutdown.begin('the lease is lost', 1),
    // What waits for an engine may take minutes: it goes to whichever process is free.
    limits: {
      ...(config.engine.kind === 'deterministic' ? {} : { execute: config.concurrency }),
      ...('none' in judge.engine ? {} : { evaluate: config.concurrency }),
      ...(embedder ? { export: config.concurrency } : {}),
    },
  })
  shutdown.onShutdown('worker', () => worker.stop(config.shutdownGraceMs))

  const linkKeys = linkKeysOf(config)
  const app = createApi({
    db,
    content: ports.content,
    kinds: ports.kinds,
    strategies: ports.strategies,
    log,
    wake: worker.wake,
    wakeCancel: worker.wakeCancel,
    // The tests hold every answer against its schema; here it would be read twice.
    checkAnswers: false,
    tellsEnds: true,
    ...(linkKeys.length > 0 ? { linkKeys } : {}),
    estimateRun: (run, signal) => estimateRun(ports, run, signal),
    provider: { name: engine.provider, rates: ownRates(config) },
    ready: {
      queue: () => backend.ping(),
      worker: () => Promise.resolve(worker.stats().leaseLeftMs > 0),
    },
  })
  runEnded = app.runEnded
  const api = await startApi(app, config.api)
  shutdown.onShutdown('API', (graceOver) => api.close(graceOver))
  return { db, worker, api, backend }
}
