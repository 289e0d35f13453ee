import { DelayedError, WaitingError, Worker, type Job } from 'bullmq'
import { calm } from './calm.ts'
import { createDirectJobs, type DirectJobs } from './direct-jobs.ts'
import type { Driver } from './driver.ts'
import { readJob, type QueueName } from './job-identity.ts'
import type { QueueBackend, StageWorker, StageWorkerOptions } from './queue-backend.ts'

/** How long a job stays locked without a sign of life of its worker. */
const lockMs = 3_000
/** How often a worker looks for jobs whose lock has run out. */
const stalledCheckMs = 2_000
/** How long a failed connection rests before it is tried again. */
const reconnectMs = 1_000
/** How long aborted jobs may take to be handed back before the worker leaves them to their locks. */
const handBackMs = 3_000
/** More crashes than a job can live to see; fits into Postgres's integer. */
const outOfReach = 1_000_000

/**
 * Takes one stage's jobs: from the queue, within a concurrency that may change while it runs, and from its
 * own process, as long as the stage has no limit. What a worker cannot keep goes back through `add`.
 *
 * Crashes are counted in the database, not here: BullMQ's own count would fail a job for good after
 * a few of them, so it is set out of reach.
 */
export function createStageWorker<C>(
  driver: Driver<C>,
  stage: QueueName,
  { concurrency, limited = false, process, onError }: StageWorkerOptions,
  add: QueueBackend['add'],
): StageWorker {
  let active = 0
  let isLimited = limited
  let paused = false
  let closing: Promise<void> | undefined
  const direct = createDirectJobs({ process, onError }, add)

  // BullMQ hands out a signal only to a processor that declares its three parameters.
  const processor = async (job: Job, token?: string, signal?: AbortSignal): Promise<void> => {
    // A worker that was waiting when it was paused or closed still gets the job that woke it.
    if (paused || closing) await handBack(job, token)
    active += 1
    try {
      const fate = await process(readJob(stage, job), signal ?? new AbortController().signal)
      if (fate.kind === 'back') await handBack(job, token)
      if (fate.kind === 'again') {
        await job.moveToDelayed(Date.now() + fate.delayMs, token)
        throw new DelayedError()
      }
    } finally {
      active -= 1
    }
  }

  const prefix = driver.prefix(stage)
  const worker = new Worker(
    stage,
    processor,
    {
      connection: driver.consumer(),
      ...(prefix === undefined ? {} : { prefix }),
      concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: outOfReach,
      runRetryDelay: reconnectMs,
    },
    driver.factory,
  )
  worker.on('error', calm(onError))
  worker.on('failed', (_job, error) => {
    onError(error)
  })

  return {
    stage,
    get active() {
      return active + direct.active
    },
    get concurrency() {
      return worker.concurrency
    },
    get limited() {
      return isLimited
    },
    get paused() {
      return paused
    },
    pause: () => {
      paused = true
      void worker.pause(true).catch(onError)
    },
    resume: () => {
      paused = false
      void worker.resume().catch(onError)
    },
    setConcurrency: (next, { limited }) => {
      worker.concurrency = next
      isLimited = limited
    },
    offer: (job) => {
      if (isLimited || paused || closing) return false
      direct.start(job)
      return true
    },
    close: (graceMs) => (closing ??= closeWithin(worker, direct, graceMs)),
  }
}

/** Puts a job that was not finished back, without spending a try; throws what tells BullMQ so. */
async function handBack(job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token)
  throw new WaitingError()
}

async function closeWithin(
  worker: Pick<Worker, 'close' | 'cancelAllJobs' | 'disconnect'>,
  direct: DirectJobs,
  graceMs: number,
): Promise<void> {
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<'too late'>()
  const timers = [
    setTimeout(() => {
      worker.cancelAllJobs('the worker is closing')
      direct.abort()
    }, graceMs),
    setTimeout(() => {
      giveUp('too late')
    }, graceMs + handBackMs),
  ]
  const end = await Promise.race([Promise.all([worker.close(), direct.ended()]), tooLate])
  timers.forEach(clearTimeout)
  if (end === 'too late') await worker.disconnect()
}
