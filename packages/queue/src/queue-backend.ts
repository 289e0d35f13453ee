import type { StageJob } from '@almanac/pipeline'
import type { QueueName } from './job-identity.ts'

/**
 * The queue as the rest of Almanac sees it. Redis and Postgres stand behind the same surface.
 *
 * The queue delivers and decides nothing: every job can be made again from the database, so it may
 * lose jobs (the sweep adds them anew), deliver one twice (the commit is fenced) or be wiped.
 *
 *   add ──▶ waiting ──▶ active ──▶ done: forgotten, whatever came of it
 *              ▲          ├─────▶ again: delayed, then waiting under the same id
 *              │          ├─────▶ back: waiting at once, for whoever is free
 *              └──────────┘        its worker died: taken back when the lock has run out (3 s)
 */
export interface QueueBackend {
  readonly name: 'redis' | 'postgres'
  /**
   * Enqueues jobs, each to its stage, and those of variants to a queue of their own. One whose id is still in the queue is left as it is. Fails
   * within seconds with QUEUE_UNREACHABLE; a part of the jobs may have been added then.
   */
  add(jobs: readonly NewJob[]): Promise<void>
  /**
   * Those of the jobs that have no earlier form (same run, stage and epoch, lower `n`) in the queue:
   * what is lost and has to be added anew, as opposed to what only waits for a free worker. One that
   * was added anew five times counts as lost wherever it may be.
   */
  missing(jobs: readonly StageJob[]): Promise<StageJob[]>
  /** Starts to take a stage's jobs. A process has at most one worker a stage. */
  stageWorker(stage: QueueName, options: StageWorkerOptions): StageWorker
  /** Resolves when the queue answers; else throws QUEUE_UNREACHABLE. */
  ping(): Promise<void>
  /** How many jobs of a stage wait, run and are delayed. */
  depth(stage: QueueName): Promise<Depth>
  /** Forgets every job, also those that run now; workers go on with what is added afterwards. */
  clear(): Promise<void>
  /** Closes workers (without grace) and connections. */
  close(): Promise<void>
}

export type NewJob = StageJob & {
  /** Milliseconds until the job may start; default 0. */
  delayMs?: number
}

/** A job as its worker gets it. */
export interface TakenJob extends StageJob {
  /** True when an earlier worker took it and died, or lost its lock: it may have been started before. */
  redelivered: boolean
  /** It came from its own process and not from the queue: nobody else finds it there. */
  direct?: true
}

/** What becomes of a job after its processor: forgotten, tried again later, or handed back at once. */
export type JobFate = { kind: 'done' } | { kind: 'again'; delayMs: number } | { kind: 'back' }

export interface StageWorkerOptions {
  /** How many jobs from the queue run at once. */
  concurrency: number
  /** Whether no more than these may run at once; then all of them come from the queue. */
  limited?: boolean
  /**
   * Runs one job. The signal aborts when the worker closes and the grace period is over; a job that
   * ends because of it should be handed back. A job whose processor throws is forgotten.
   */
  process(job: TakenJob, signal: AbortSignal): Promise<JobFate>
  /** Told of thrown jobs, lost locks and broken connections; the worker goes on by itself. */
  onError(error: unknown): void
}

export interface StageWorker {
  readonly stage: QueueName
  /** How many jobs run now. */
  readonly active: number
  readonly concurrency: number
  readonly limited: boolean
  readonly paused: boolean
  /** Takes no further job; those that run go on. */
  pause(): void
  resume(): void
  setConcurrency(concurrency: number, options: { limited: boolean }): void
  /**
   * Runs a job that this process has just made at once, without the queue, unless the stage is limited or
   * the worker takes no further job; answers whether it does. What it does not take is to be added.
   */
  offer(job: StageJob): boolean
  /**
   * Takes no further job, waits `graceMs` for those that run, then aborts their signals and waits
   * until they have been handed back.
   */
  close(graceMs: number): Promise<void>
}

export interface Depth {
  waiting: number
  active: number
  delayed: number
}
