import { setTimeout as sleep } from 'node:timers/promises'
import { AlmanacError, stageNames } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { unlimitedRates, unstoppedSpending, type RunnerPorts } from '@almanac/pipeline'
import { createQueueBackend, migrateQueue, type QueueBackend } from '@almanac/queue'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startOwnPostgres, type OwnPostgres } from '../../../test/support/own-postgres.ts'
import { startWorker, type RunningWorker, type WorkerOptions } from './start-worker.ts'
import { memoryDatabase, type MemoryDatabase, type MemoryRun } from './testing/memory-operations.ts'
import { plainStages } from './testing/plain-stages.ts'
import { quietLog } from './testing/quiet-log.ts'

/** The worker with a real queue; the database is a fake that speaks its interfaces. */

let postgres: OwnPostgres
const backends: QueueBackend[] = []
const running: RunningWorker[] = []

beforeAll(async () => {
  postgres = await startOwnPostgres()
  await migrateQueue({ databaseUrl: postgres.url })
})
afterAll(() => postgres.stop())
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop(0)))
  await backends[0]?.clear()
  await Promise.all(backends.splice(0).map((backend) => backend.close()))
})

async function openBackend(): Promise<QueueBackend> {
  const { url: databaseUrl } = postgres
  const backend = await createQueueBackend({ databaseUrl, onError: () => undefined })
  backends.push(backend)
  return backend
}

async function start(
  database: MemoryDatabase,
  given: Partial<WorkerOptions> & { does?: Parameters<typeof plainStages>[0] } = {},
) {
  const log = quietLog()
  const { does, ...options } = given
  const workerId = newId('worker')
  const ports = {
    ...database.store,
    clock: { now: () => new Date() },
    ids: { next: newId },
    identity: { workerId },
    engine: { provider: 'none' },
    rates: unlimitedRates,
    spending: unstoppedSpending,
    // Plain stages use no other ports.
  } as unknown as RunnerPorts
  const worker = await startWorker({
    ports,
    log,
    operations: database.operations,
    deliverers: {},
    version: '0.0.0',
    backend: await openBackend(),
    stages: plainStages(does),
    onLost: () => undefined,
    ...options,
  })
  running.push(worker)
  return { worker, log, workerId }
}

const states = (runs: MemoryRun[]) => [...new Set(runs.map(({ state }) => state))]

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

describe('a worker', () => {
  it('takes runs through all stages, once each, and the aftermath too', async () => {
    const database = memoryDatabase()
    const delivered: string[] = []
    const { worker, log } = await start(database, {
      does: { deliver: ({ run }) => Promise.resolve(delivered.push(run.id)) },
    })
    const runs = Array.from({ length: 60 }, () => database.queue())
    worker.wake()
    await until(() => delivered.length === 60)
    expect(states(runs)).toEqual(['succeeded'])
    const recorded = stageNames.slice(0, -1)
    for (const { facts } of runs.slice(0, 5)) {
      const stages = database.commits.filter(({ runId }) => runId === facts.id)
      expect(stages.map(({ stage }) => stage)).toEqual(recorded)
    }
    expect(database.commits).toHaveLength(60 * recorded.length)
    expect(log.lines.filter(({ message }) => message === 'stage')).toHaveLength(60 * 10)
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([])
    // Nothing was added anew, so nobody had to note that he starts it.
    expect(database.starts).toEqual([])
  })

  it.each(['execute', 'export'] as const)(
    'tries a stage, here %s, again after its backoff, wherever its job came from',
    async (stage) => {
      const database = memoryDatabase()
      let tries = 0
      const { worker } = await start(database, {
        does: {
          [stage]: () => {
            tries += 1
            if (tries > 1) return Promise.resolve(null)
            return Promise.reject(new AlmanacError('ENGINE_OVERLOADED', { engine: 'fake' }))
          },
        },
      })
      const run = database.queue()
      worker.wake()
      await until(() => run.state === 'succeeded')
      expect(tries).toBe(2)
      const moves = database.commits.filter((commit) => commit.stage === stage)
      expect(moves.map(({ move }) => move.to)).toEqual(['again', 'running'])
    },
  )

  it('aborts the jobs of a run that is being cancelled', async () => {
    const database = memoryDatabase()
    const { signals, sit } = sitting()
    const { worker } = await start(database, { does: { execute: sit } })
    const run = database.queue()
    worker.wake()
    await until(() => signals.length === 1)
    run.state = 'cancelling'
    worker.wakeCancel()
    await until(() => run.state === 'cancelled')
    expect(signals[0]?.aborted).toBe(true)
    expect(database.commits.some(({ stage }) => stage === 'execute')).toBe(false)
  })

  it.each(['execute', 'validate'] as const)(
    'hands what runs, here %s, to others when it stops, and gives up its lease',
    async (stage) => {
      const database = memoryDatabase()
      const { signals, sit } = sitting()
      const { worker, workerId } = await start(database, { does: { [stage]: sit } })
      const run = database.queue()
      worker.wake()
      await until(() => signals.length === 1)
      expect([...database.workers.keys()]).toEqual([workerId])
      await worker.stop(20)
      expect(database.workers.size).toBe(0)
      expect(run).toMatchObject({ state: 'running', nextStage: stage, tries: 0 })
      await start(database)
      await until(() => run.state === 'succeeded')
      // Out of the queue: nobody had to miss it first.
      expect(database.starts).toEqual([])
    },
  )

  it('goes on with a run where it is; the queue gets what enters, and what waits for an engine', async () => {
    const database = memoryDatabase()
    const { added, backend } = await noting()
    const { worker } = await start(database, { backend })
    const run = database.queue()
    worker.wake()
    await until(() => run.state === 'succeeded')
    expect(added).toEqual(['retrieve', 'execute'])
  })

  it('takes all jobs of a stage with a limit from the queue, and keeps to it', async () => {
    const database = memoryDatabase()
    const { added, backend } = await noting()
    let [active, most] = [0, 0]
    const { worker } = await start(database, {
      backend,
      limits: { validate: 2 },
      does: {
        validate: async () => {
          active += 1
          most = Math.max(most, active)
          await sleep(10)
          active -= 1
          return null
        },
      },
    })
    const runs = Array.from({ length: 12 }, () => database.queue())
    worker.wake()
    await until(() => states(runs).join() === 'succeeded')
    expect(added.filter((stage) => stage === 'validate')).toHaveLength(12)
    expect(most).toBe(2)
  })

  it('goes through the queue with what begins while a stage is paused here', async () => {
    const database = memoryDatabase()
    const { added, backend } = await noting()
    database.controls.push({ stage: 'persist', paused: true, concurrency: null })
    const { worker } = await start(database, { backend })
    const run = database.queue()
    worker.wake()
    await until(() => added.includes('persist'))
    expect(run).toMatchObject({ state: 'running', nextStage: 'persist' })
    database.controls.length = 0
    await until(() => run.state === 'succeeded')
    expect(added).toEqual(['retrieve', 'execute', 'persist'])
  })

  it('shows that it is at work on a job that nobody finds in the queue', async () => {
    const database = memoryDatabase()
    const gate = Promise.withResolvers<null>()
    const { worker, workerId } = await start(database, {
      does: { evaluate: () => gate.promise },
    })
    const run = database.queue()
    worker.wake()
    await until(() => database.starts.length > 0)
    const job = { runId: run.facts.id, stage: 'evaluate', direct: true }
    expect(database.starts).toEqual([{ job: expect.objectContaining(job), workerId }])
    gate.resolve(null)
    await until(() => run.state === 'succeeded')
  })

  it('lets what runs end within its grace', async () => {
    const database = memoryDatabase()
    const gate = Promise.withResolvers<null>()
    let began = false
    const { worker } = await start(database, {
      does: {
        assemble: () => {
          began = true
          return gate.promise
        },
      },
    })
    const run = database.queue()
    worker.wake()
    await until(() => began)
    const stopped = worker.stop(60_000)
    gate.resolve(null)
    await stopped
    expect(run.nextStage).toBe('execute')
  })

  it('aborts everything and says so when its lease is lost', async () => {
    const database = memoryDatabase()
    const { signals, sit } = sitting()
    const lost = Promise.withResolvers<undefined>()
    const { worker, workerId, log } = await start(database, {
      does: { execute: sit },
      onLost: () => {
        lost.resolve(undefined)
      },
    })
    database.queue()
    worker.wake()
    await until(() => signals.length === 1)
    database.workers.set(workerId, 0)
    await lost.promise
    expect(signals[0]?.aborted).toBe(true)
    expect(worker.stats().leaseLeftMs).toBe(0)
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true)
  })

  it('obeys stage controls from its start, and when they change', async () => {
    const database = memoryDatabase()
    database.controls.push({ stage: 'assemble', paused: true, concurrency: null })
    database.controls.push({ stage: 'execute', paused: false, concurrency: 2 })
    const { worker } = await start(database)
    expect(worker.stats().stages).toMatchObject({
      assemble: { paused: true },
      execute: { paused: false, concurrency: 2 },
    })
    const run = database.queue()
    worker.wake()
    await until(() => run.nextStage === 'assemble')
    database.controls.length = 0
    await until(() => run.state === 'succeeded')
    expect(worker.stats().stages).toMatchObject({ execute: { concurrency: 16 } })
  })

  it('adds a lost job anew, and notes that it starts it', async () => {
    const database = memoryDatabase()
    const run = database.queue({ nextStage: 'evaluate' })
    // Running, and as if its job had been lost with a Redis that was wiped.
    Object.assign(run, { state: 'running', epoch: 3, progressAt: 0 })
    const { workerId } = await start(database)
    await until(() => run.state === 'succeeded')
    expect(database.starts).toEqual([
      {
        job: expect.objectContaining({ runId: run.facts.id, stage: 'evaluate', n: 1 }),
        workerId,
      },
    ])
  })

  it('goes on when its queue was away', async () => {
    const database = memoryDatabase()
    const { worker } = await start(database)
    const first = database.queue()
    worker.wake()
    await until(() => first.state === 'succeeded')
    await postgres.halt()
    const second = database.queue()
    worker.wake()
    await until(() => second.state === 'running')
    await postgres.start()
    await until(() => second.state === 'succeeded')
  })

  it('shares the work with others; one of them leads each loop', async () => {
    const database = memoryDatabase()
    const [one, two] = [await start(database), await start(database)]
    const leaders = () => [one, two].map(({ worker }) => leading(worker))
    await until(() => leaders().flat().length === 5)
    const runs = Array.from({ length: 40 }, () => database.queue())
    one.worker.wake()
    await until(() => states(runs).join() === 'succeeded')
    expect(database.commits).toHaveLength(40 * 9)
    await one.worker.stop(0)
    await until(() => leading(two.worker).length === 5)
  })
})

const leading = (worker: RunningWorker): string[] =>
  worker
    .stats()
    .loops.filter(
      ({ name, leading }) =>
        leading && !['controls', 'cancel', 'spending', 'variants'].includes(name),
    )
    .map(({ name }) => name)

/** A queue that notes which stages' jobs are added to it. */
async function noting(): Promise<{ added: string[]; backend: QueueBackend }> {
  const backend = await openBackend()
  const added: string[] = []
  return {
    added,
    backend: {
      ...backend,
      add: (jobs) => {
        added.push(...jobs.map(({ stage }) => stage))
        return backend.add(jobs)
      },
    },
  }
}

/** A stage that ends only when it is aborted. */
function sitting() {
  const signals: AbortSignal[] = []
  const sit = (_given: unknown, signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<never>(() => undefined)
  }
  return { signals, sit }
}
