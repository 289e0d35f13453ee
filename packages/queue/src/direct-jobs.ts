import type { StageJob } from '@almanac/pipeline'
import type { NewJob, StageWorkerOptions } from './queue-backend.ts'

/**
 * The jobs of a stage that a process begins itself, right after the stage before, instead of sending them
 * through the queue and getting them back. They have the same fates as those from the queue.
 */
export interface DirectJobs {
  readonly active: number
  start(job: StageJob): void
  /** Aborts the signals of those that run; they are handed to the queue. */
  abort(): void
  /** Resolves when none runs. */
  ended(): Promise<void>
}

/** `add` takes jobs that are to be tried again, or were handed back. */
export function createDirectJobs(
  { process, onError }: Pick<StageWorkerOptions, 'process' | 'onError'>,
  add: (jobs: readonly NewJob[]) => Promise<void>,
): DirectJobs {
  const closing = new AbortController()
  const running = new Set<Promise<void>>()

  const run = async (job: StageJob): Promise<void> => {
    const fate = await process({ ...job, redelivered: false, direct: true }, closing.signal)
    if (fate.kind === 'back') await add([job])
    if (fate.kind === 'again') await add([{ ...job, delayMs: fate.delayMs }])
  }

  return {
    get active() {
      return running.size
    },
    start(job) {
      const end: Promise<void> = run(job)
        .catch(onError)
        .finally(() => running.delete(end))
      running.add(end)
    },
    abort() {
      closing.abort(new Error('the worker is closing'))
    },
    async ended() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
