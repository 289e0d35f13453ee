import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '@almanac/domain/ids'
import type { StageJob } from '@almanac/pipeline'
import type { JobFate, QueueBackend, StageWorker, TakenJob } from './queue-backend.ts'

/** What a case gets: backends on an empty queue; each stands for a process of its own. */
export interface Queueing {
  open(): Promise<QueueBackend>
  /** What backends and workers complained of; a case that expects errors takes them out. */
  errors: unknown[]
  /** The stored payload of a job, as the server has it. */
  stored(id: string): Promise<unknown>
}

/** The behaviour that Almanac relies on, whatever stands behind the queue. */
export const conformance: Record<string, (queueing: Queueing) => Promise<void>> = {
  'delivers a job once, with its ids and nothing else': async ({ open, stored, errors }) => {
    const backend = await open()
    const job = aJob()
    await backend.add([job])
    const { tenantId, runId, epoch } = job
    assert.deepEqual(await stored(`${runId}.execute.7.0`), { tenantId, runId, epoch })
    const { taken } = collect({ backend, errors })
    assert.deepEqual(await taken(1), [{ ...job, redelivered: false }])
    await until(async () => empty(await backend.depth('execute')))
  },

  'adds more jobs than one statement takes, each once': async ({ open, errors }) => {
    const backend = await open()
    const jobs = Array.from({ length: 1_201 }, () => aJob())
    await backend.add(jobs)
    await backend.add(jobs.slice(0, 3))
    assert.equal((await backend.depth('execute')).waiting, 1_201)
    const { taken } = collect({ backend, errors }, { concurrency: 50 })
    const ids = (await taken(1_201)).map(({ runId }) => runId)
    assert.deepEqual(ids.toSorted(), jobs.map(({ runId }) => runId).toSorted())
  },

  'keeps stages apart': async ({ open, errors }) => {
    const backend = await open()
    await backend.add([aJob({ stage: 'retrieve' }), aJob({ stage: 'persist' })])
    const retrieve = collect({ backend, errors }, { stage: 'retrieve' })
    const persist = collect({ backend, errors }, { stage: 'persist' })
    assert.deepEqual(
      [...(await retrieve.taken(1)), ...(await persist.taken(1))].map(({ stage }) => stage),
      ['retrieve', 'persist'],
    )
  },

  'shares the jobs of a stage among workers, each job once': async ({ open, errors }) => {
    const [one, two] = [await open(), await open()]
    const taken: string[] = []
    const note = async ({ runId }: TakenJob): Promise<JobFate> => {
      taken.push(runId)
      await sleep(1)
      return done
    }
    work({ backend: one, errors }, note)
    work({ backend: two, errors }, note)
    const jobs = Array.from({ length: 200 }, () => aJob())
    await one.add(jobs)
    await until(async () => taken.length >= 200 && empty(await one.depth('execute')))
    assert.deepEqual(taken.toSorted(), jobs.map(({ runId }) => runId).toSorted())
  },

  'holds a delayed job back, and others do not wait for it': async ({ open, errors }) => {
    const backend = await open()
    const [late, prompt] = [aJob(), aJob()]
    const added = Date.now()
    await backend.add([{ ...late, delayMs: 600 }, prompt])
    assert.deepEqual(await backend.depth('execute'), { waiting: 1, active: 0, delayed: 1 })
    const { taken, times } = collect({ backend, errors })
    assert.deepEqual(
      (await taken(2)).map(({ runId }) => runId),
      [prompt.runId, late.runId],
    )
    assert.ok((times[1] ?? 0) - added >= 599, 'the delayed job came too early')
  },

  'runs a job again after its delay, under the same id': async ({ open, errors }) => {
    const backend = await open()
    const { taken, times } = collect(
      { backend, errors },
      {
        fate: (before) => (before < 2 ? { kind: 'again', delayMs: 300 } : done),
      },
    )
    const job = aJob({ n: 4 })
    await backend.add([job])
    assert.deepEqual(
      (await taken(3)).map(({ n }) => n),
      [4, 4, 4],
    )
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 299, 'the second try came too early')
    await until(async () => empty(await backend.depth('execute')))
  },

  'ignores an id that is in the queue, and takes it anew when it is not': async ({
    open,
    errors,
  }) => {
    const backend = await open()
    const job = aJob()
    await backend.add([job])
    await backend.add([job])
    assert.equal((await backend.depth('execute')).waiting, 1)
    const { taken } = collect({ backend, errors })
    await taken(1)
    await until(async () => empty(await backend.depth('execute')))
    await backend.add([job])
    await taken(2)
  },

  'tells of a job that throws, forgets it, and goes on': async ({ open, errors }) => {
    const backend = await open()
    const taken: string[] = []
    work({ backend, errors }, ({ runId }) => {
      taken.push(runId)
      return taken.length === 1 ? Promise.reject(new Error('as planned')) : Promise.resolve(done)
    })
    const job = aJob()
    await backend.add([job])
    await until(async () => errors.length > 0 && empty(await backend.depth('execute')))
    assert.match(String(errors.pop()), /as planned/)
    await backend.add([job])
    await until(() => taken.length === 2)
  },

  'takes nothing while it is paused, and goes on afterwards': async ({ open, errors }) => {
    const [backend, other] = [await open(), await open()]
    const paused = collect({ backend, errors })
    await backend.add([aJob()])
    await paused.taken(1)
    paused.worker.pause()
    assert.equal(paused.worker.paused, true)
    // It was waiting for a job when it was paused: what wakes it must go to others all the same.
    await backend.add([aJob(), aJob()])
    const { taken, worker } = collect({ backend: other, errors })
    await taken(2)
    assert.equal(paused.seen.length, 1)
    await worker.close(0)
    paused.worker.resume()
    await backend.add([aJob()])
    await paused.taken(2)
  },

  'runs as many jobs at once as it is told to, also when told anew': async ({ open, errors }) => {
    const backend = await open()
    let running = 0
    let most = 0
    const worker = work(
      { backend, errors },
      async () => {
        running += 1
        most = Math.max(most, running)
        await sleep(20)
        running -= 1
        return done
      },
      2,
    )
    await backend.add(Array.from({ length: 12 }, () => aJob()))
    await until(async () => empty(await backend.depth('execute')))
    assert.equal(most, 2)
    worker.setConcurrency(5, { limited: false })
    assert.equal(worker.concurrency, 5)
    await backend.add(Array.from({ length: 30 }, () => aJob()))
    await until(async () => empty(await backend.depth('execute')))
    assert.equal(most, 5)
  },

  'waits for running jobs when it closes': async ({ open, errors }) => {
    const [backend, other] = [await open(), await open()]
    const job = deferred()
    let ended = false
    const worker = work({ backend, errors }, async () => {
      await job.promise
      ended = true
      return done
    })
    await backend.add([aJob()])
    await until(() => worker.active === 1)
    const closed = worker.close(60_000)
    job.resolve()
    await closed
    assert.equal(ended, true)
    assert.ok(empty(await other.depth('execute')))
  },

  'aborts jobs when the grace period is over, and hands them to others': async ({
    open,
    errors,
  }) => {
    const [backend, other] = [await open(), await open()]
    const worker = work({ backend, errors }, backWhenAborted, 2)
    const jobs = [aJob(), aJob()]
    await backend.add(jobs)
    await until(() => worker.active === 2)
    await worker.close(50)
    assert.deepEqual(await other.depth('execute'), { waiting: 2, active: 0, delayed: 0 })
    const { taken } = collect({ backend: other, errors })
    const again = await taken(2)
    assert.deepEqual(
      again.map(({ runId }) => runId).toSorted(),
      jobs.map(({ runId }) => runId).toSorted(),
    )
    assert.ok(again.every(({ redelivered }) => !redelivered))
  },

  'runs a job of its own process at once, and the queue knows nothing of it': async ({
    open,
    errors,
  }) => {
    const backend = await open()
    const gate = deferred()
    const seen: TakenJob[] = []
    const process = async (job: TakenJob): Promise<JobFate> => {
      seen.push(job)
      await gate.promise
      return done
    }
    const worker = work({ backend, errors }, process, 1)
    const jobs = [aJob(), aJob(), aJob()]
    assert.ok(jobs.every((job) => worker.offer(job)))
    assert.deepEqual(
      seen,
      jobs.map((job) => ({ ...job, redelivered: false, direct: true })),
    )
    assert.equal(worker.active, 3)
    assert.ok(empty(await backend.depth('execute')))
    // The places of the queue are its own.
    await backend.add([aJob()])
    await until(() => seen.length === 4)
    gate.resolve()
    await until(() => worker.active === 0)
  },

  'leaves a job to the queue where a stage is limited or paused, or closes': async ({
    open,
    errors,
  }) => {
    const backend = await open()
    const { worker, seen } = collect({ backend, errors })
    worker.setConcurrency(4, { limited: true })
    assert.equal(worker.offer(aJob()), false)
    worker.setConcurrency(4, { limited: false })
    worker.pause()
    assert.equal(worker.offer(aJob()), false)
    worker.resume()
    assert.equal(worker.offer(aJob()), true)
    const closed = worker.close(60_000)
    assert.equal(worker.offer(aJob()), false)
    await closed
    assert.equal(seen.length, 1)
  },

  'enqueues a job of its own process that is to be tried again': async ({ open, errors }) => {
    const backend = await open()
    const again = (before: number): JobFate =>
      before === 0 ? { kind: 'again', delayMs: 300 } : done
    const { worker, taken, times } = collect({ backend, errors }, { fate: again })
    const job = aJob()
    worker.offer(job)
    assert.deepEqual(await taken(2), [
      { ...job, redelivered: false, direct: true },
      { ...job, redelivered: false },
    ])
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 299, 'the second try came too early')
  },

  'hands a job of its own process to others when the grace period is over': async ({
    open,
    errors,
  }) => {
    const [backend, other] = [await open(), await open()]
    const worker = work({ backend, errors }, backWhenAborted)
    const job = aJob()
    worker.offer(job)
    await worker.close(50)
    assert.deepEqual(await other.depth('execute'), { waiting: 1, active: 0, delayed: 0 })
    const { taken } = collect({ backend: other, errors })
    assert.deepEqual(await taken(1), [{ ...job, redelivered: false }])
  },

  'waits for a job of its own process when it closes, and tells of one that throws': async ({
    open,
    errors,
  }) => {
    const backend = await open()
    const gate = deferred()
    const worker = work({ backend, errors }, async () => {
      await gate.promise
      throw new Error('as planned')
    })
    worker.offer(aJob())
    const closed = worker.close(60_000)
    assert.equal(worker.active, 1)
    gate.resolve()
    await closed
    assert.equal(worker.active, 0)
    assert.match(String(errors.pop()), /as planned/)
  },

  'tells lost jobs from those that wait': async ({ open }) => {
    const backend = await open()
    const [waiting, delayed, lost, fresh] = [aJob(), aJob(), aJob({ n: 3 }), aJob()]
    await backend.add([waiting, { ...delayed, delayMs: 60_000 }])
    const readded = [{ ...waiting, n: 1 }, { ...delayed, n: 4 }, lost, fresh]
    assert.deepEqual(await backend.missing(readded), [lost, fresh])
    assert.deepEqual(await backend.missing([{ ...waiting, n: 1, epoch: 8 }]), [
      { ...waiting, n: 1, epoch: 8 },
    ])
    // After a long silence a job is added anew, wherever its earlier form may be.
    assert.equal((await backend.missing([{ ...waiting, n: 5 }])).length, 1)
  },

  'forgets everything when it is cleared, under the feet of its workers': async ({
    open,
    errors,
  }) => {
    const backend = await open()
    const gate = deferred()
    const seen: string[] = []
    const process = async ({ runId }: TakenJob) => {
      seen.push(runId)
      await gate.promise
      return done
    }
    work({ backend, errors }, process, 1)
    await backend.add([aJob(), aJob(), { ...aJob(), delayMs: 60_000 }])
    await until(() => seen.length === 1)
    await backend.clear()
    assert.ok(empty(await backend.depth('execute')))
    gate.resolve()
    const next = aJob()
    await backend.add([next])
    await until(() => seen.length === 2)
    assert.equal(seen[1], next.runId)
    // The cleared job could not be finished any more, and its worker said so.
    await until(() => errors.length > 0)
    errors.length = 0
  },

  'answers a ping': async ({ open }) => {
    const backend = await open()
    await backend.ping()
  },
}

const done: JobFate = { kind: 'done' }
const backWhenAborted = (_job: TakenJob, signal: AbortSignal): Promise<JobFate> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve({ kind: 'back' })
    })
  })
const empty = ({ waiting, active, delayed }: Awaited<ReturnType<QueueBackend['depth']>>) =>
  waiting + active + delayed === 0

/** A job of a run of its own. */
export const aJob = (given: Partial<StageJob> = {}): StageJob => ({
  tenantId: newId('tenant'),
  runId: newId('run'),
  stage: 'execute',
  epoch: 7,
  n: 0,
  ...given,
})

/** Where a worker runs, and where its complaints go. */
interface Place {
  backend: QueueBackend
  errors: unknown[]
}

function work(
  { backend, errors }: Place,
  process: (job: TakenJob, signal: AbortSignal) => Promise<JobFate>,
  concurrency = 4,
): StageWorker {
  const onError = (error: unknown) => errors.push(error)
  return backend.stageWorker('execute', { concurrency, onError, process })
}

/** A worker that notes what it takes, and when. */
function collect(
  { backend, errors }: Place,
  given: {
    stage?: StageJob['stage']
    concurrency?: number
    fate?: (before: number) => JobFate
  } = {},
) {
  const seen: TakenJob[] = []
  const times: number[] = []
  const { stage = 'execute', concurrency = 4, fate = () => done } = given
  const worker = backend.stageWorker(stage, {
    concurrency,
    process: (job) => {
      times.push(Date.now())
      seen.push(job)
      return Promise.resolve(fate(seen.length - 1))
    },
    onError: (error) => errors.push(error),
  })
  const taken = async (count: number) => {
    await until(() => seen.length >= count)
    return seen.slice(0, count)
  }
  return { worker, seen, times, taken }
}

/** Waits for a condition; the test's own time-out ends a wait that is in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10)
}

function deferred() {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  return {
    promise,
    resolve: () => {
      resolve(undefined)
    },
  }
}
