import type { RunId, StageName } from '@almanac/domain'
import {
  runStage,
  type AnyStage,
  type JobEnd,
  type RunMarks,
  type RunnerPorts,
} from '@almanac/pipeline'
import type { JobFate, NewJob, QueueBackend, StageWorker, TakenJob } from '@almanac/queue'
import type { ActiveRuns } from './active-runs.ts'
import type { StageConcurrency } from './stage-concurrency.ts'

export interface StageWork {
  stages: readonly AnyStage[]
  ports: RunnerPorts
  marks: RunMarks
  backend: Pick<QueueBackend, 'add' | 'stageWorker'>
  active: ActiveRuns
  concurrency: StageConcurrency
  /** A run left the workers, in whatever state: there is room for another. */
  onRunEnd(runId: RunId): void
  onError(error: unknown): void
}

export type StageWorkers = ReadonlyMap<StageName, StageWorker>

/** One worker a stage: takes the stage's jobs, runs them, and enqueues what follows. */
export function bindStages(work: StageWork): StageWorkers {
  const { stages, backend, concurrency, onError } = work
  return new Map(
    stages.map(({ name }) => [
      name,
      backend.stageWorker(name, {
        concurrency: concurrency[name],
        process: (job, closing) => runJob(work, job, closing),
        onError,
      }),
    ]),
  )
}

/**
 * The life of a job in a worker:
 *
 *   1. One that was added anew, or whose worker died, is marked: crashes are counted by these marks.
 *   2. The stage runs, until it ends or a signal aborts it: closing, a lost lease, a cancelled run.
 *   3. By its end the next stage is enqueued, the job is tried again later, or nothing follows.
 *
 * A process that dies between 2 and 3 leaves a run without a job; the sweep finds it.
 */
async function runJob(work: StageWork, job: TakenJob, closing: AbortSignal): Promise<JobFate> {
  const { stages, ports, marks, active } = work
  const { tenantId, runId, epoch, stage } = job
  const entry = active.enter(runId)
  try {
    if (job.n > 0 || job.redelivered) await marks.markStart(job, ports.identity.workerId)
    const signal = AbortSignal.any([closing, entry.signal])
    const end = await runStage(stages, stage, { tenantId, runId, epoch }, ports, signal)
    return await follow(work, job, end, closing)
  } finally {
    entry.leave()
  }
}

/** Does what a job's end asks for. Tells what becomes of the job itself. */
async function follow(
  { stages, backend, onRunEnd }: StageWork,
  job: TakenJob,
  end: JobEnd,
  closing: AbortSignal,
): Promise<JobFate> {
  switch (end.kind) {
    case 'advanced':
      await backend.add([jobOf(job, end.next)])
      return done
    case 'again':
      return { kind: 'again', delayMs: end.delayMs }
    case 'succeeded':
      onRunEnd(job.runId)
      await backend.add(aftermath(stages, job.stage).map((stage) => jobOf(job, stage)))
      return done
    case 'parked':
    case 'failed':
    case 'blocked':
      onRunEnd(job.runId)
      return done
    case 'dropped':
      return end.why === 'aborted' && closing.aborted ? { kind: 'back' } : done
    case 'done':
      return done
  }
}

const done: JobFate = { kind: 'done' }

const jobOf = ({ tenantId, runId, epoch }: TakenJob, stage: StageName): NewJob => ({
  tenantId,
  runId,
  epoch,
  stage,
  n: 0,
})

/** The stages that run after the one that concluded: best effort, and outside the run's states. */
const aftermath = (stages: readonly AnyStage[], concluded: StageName): StageName[] =>
  stages
    .slice(stages.findIndex(({ name }) => name === concluded) + 1)
    .filter(({ role }) => role === 'aftermath')
    .map(({ name }) => name)
