import type { RunId } from '@almanac/domain'
import type { RunMarks } from '@almanac/pipeline'
import type { LoopWork } from './loop.ts'

/** The jobs that run in this process, each with a way to abort it. */
export interface ActiveRuns {
  /** Enters a job; its signal aborts when its run is cancelled or the worker loses its lease. */
  enter(runId: RunId): { signal: AbortSignal; leave(): void }
  ids(): RunId[]
  abort(runIds: readonly RunId[], reason: Error): void
  /** Aborts every job, also those that are entered later: this worker may work no more. */
  abortAll(reason: Error): void
}

/** An empty registry of running jobs; a run may have several of them. */
export function createActiveRuns(): ActiveRuns {
  const jobs = new Map<AbortController, RunId>()
  let over: Error | undefined
  const abortWhere = (matches: (runId: RunId) => boolean, reason: Error) => {
    for (const [controller, runId] of jobs) if (matches(runId)) controller.abort(reason)
  }
  return {
    enter: (runId) => {
      const controller = new AbortController()
      jobs.set(controller, runId)
      if (over) controller.abort(over)
      return { signal: controller.signal, leave: () => jobs.delete(controller) }
    },
    ids: () => [...new Set(jobs.values())],
    abort: (runIds, reason) => {
      const wanted = new Set(runIds)
      abortWhere((runId) => wanted.has(runId), reason)
    },
    abortAll: (reason) => {
      over = reason
      abortWhere(() => true, reason)
    },
  }
}

/** Aborts, twice a second, the jobs of runs that are being cancelled or whose tenant was stopped. */
export const watchCancels = (active: ActiveRuns, marks: RunMarks): LoopWork => ({
  name: 'cancel',
  everyMs: 500,
  pass: async () => {
    const running = active.ids()
    if (running.length > 0)
      active.abort(await marks.cancelling(running), new Error('the run is being cancelled'))
    return false
  },
})
