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
import { placesOf, type StageLimits } from './stage-concurrency.ts'

export interface StageWork {
  stages: readonly AnyStage[]
  ports: RunnerPorts
  marks: RunMarks
  backend: Pick<QueueBackend, 'add' | 'stageWorker'>
  active: ActiveRuns
  limits: StageLimits
  /** A run ended, or was parked (`over` is false then): there is room for another. */
  onRunLeft(runId: RunId, over: boolean): void
  onError(error: unknown): void
}

export type StageWorkers = ReadonlyMap<StageName, StageWorker>

/** Sends a run's next job on its way. */
type SendOn = (job: NewJob) => Promise<void>

/**
 * One worker a stage: takes the stage's jobs, runs them, and sends on what follows. A run goes on in the
 * process that it is in; through the queue it goes where a stage is limited, paused or closed here.
 */
export function bindStages(work: StageWork): StageWorkers {
  const { stages, backend, limits, onError } = work
  const sendOn: SendOn = async (job) => {
    if (workers.get(job.stage)?.offer(job) !== true) await backend.add([job])
  }
  const workers: StageWorkers = new Map(
    stages.map(({ name }) => [
      name,
      backend.stageWorker(name, {
        ...placesOf(name, limits),
        process: (job, closing) => runJob(work, job, sendOn, closing),
        onError,
      }),
    ]),
  )
  return workers
}

/** Others take a run for lost that shows nothing for 5 s and has no job in the queue. */
const showAfterMs = 2_000

/**
 * The life of a job in a worker:
 *
 *   1. One that was added anew, or whose worker died, is marked: crashes are counted by these marks.
 *   2. The stage runs, until it ends or a signal aborts it: closing, a lost lease, a cancelled run.
 *   3. By its end the next stage is begun or enqueued, the job is tried again later, or nothing follows.
 *
 * A job that is not in the queue is marked too, once it takes long. A process that dies between 2 and 3,
 * or under a job that is not in the queue, leaves a run without a job; the sweep finds it.
 */
async function runJob(
  work: StageWork,
  job: TakenJob,
  sendOn: SendOn,
  closing: AbortSignal,
): Promise<JobFate> {
  const { stages, ports, marks, active, onError } = work
  const { tenantId, runId, epoch, stage } = job
  const entry = active.enter(runId)
  const mark = () => marks.markStart(job, ports.identity.workerId)
  const showing = job.direct ? setTimeout(() => void mark().catch(onError), showAfterMs) : undefined
  try {
    if (job.n > 0 || job.redelivered) await mark()
    const signal = AbortSignal.any([closing, entry.signal])
    const end = await runStage(stages, stage, { tenantId, runId, epoch }, ports, signal)
    return await follow(work, job, end, sendOn, closing)
  } finally {
    clearTimeout(showing)
    entry.leave()
  }
}

/** Does what a job's end asks for. Tells what becomes of the job itself. */
async function follow(
  { stages, onRunLeft }: StageWork,
  job: TakenJob,
  end: JobEnd,
  sendOn: SendOn,
  closing: AbortSignal,
): Promise<JobFate> {
  switch (end.kind) {
    case 'advanced':
      await sendOn(jobOf(job, end.next))
      return done
    case 'again':
      return { kind: 'again', delayMs: end.delayMs }
    case 'succeeded':
      onRunLeft(job.runId, true)
      await Promise.all(aftermath(stages, job.stage).map((stage) => sendOn(jobOf(job, stage))))
      return done
    case 'parked':
    case 'failed':
    case 'blocked':
      onRunLeft(job.runId, end.kind !== 'parked')
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
