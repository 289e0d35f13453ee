import type {
  AuditAction,
  DeliveryId,
  Json,
  RunId,
  Specification,
  SpecificationId,
  StageName,
  TenantId,
  WorkerId,
} from '@almanac/domain'
import type { VariantJob, VariantKey } from './refinement/refinement-port.ts'
import type { Waiting } from './who-goes-next.ts'

/**
 * What the workers' loops ask of the database, beside the pipeline's own ports. Every method is safe
 * to repeat and safe when two processes call it at once; leadership only saves work.
 */

/** A job to enqueue: the stage that a running run is due for. `n` makes the id of a re-add fresh. */
export interface StageJob {
  tenantId: TenantId
  runId: RunId
  stage: StageName
  epoch: number
  n: number
  /** Of a variant's job: which one; it is taken from a queue of its own. */
  variant?: VariantPlace
}

/** Which variant of a run. */
export interface VariantPlace {
  generation: number
  ordinal: number
}

export const loopNames = ['admit', 'tick', 'sweep', 'batch', 'deliver', 'chain'] as const
export type LoopName = (typeof loopNames)[number]

export interface Leadership {
  /**
   * Tries to become the leader of a loop, for as long as the connection lives. `lost` aborts when
   * the connection does; `release` steps down.
   */
  lead(loop: LoopName): Promise<{ lost: AbortSignal; release(): Promise<void> } | undefined>
}

export interface Leases {
  register(
    worker: { id: WorkerId; host: string; pid: number; version: string },
    ttlMs: number,
  ): Promise<void>
  /** False when the lease had already expired: the worker must abort its calls and exit. */
  renew(id: WorkerId, ttlMs: number): Promise<boolean>
  leave(id: WorkerId): Promise<void>
}

export interface AdmissionStore {
  /** Tenants with queued runs, and how many runs are in flight in all. */
  backlog(): Promise<{ tenants: Waiting[]; inFlight: number }>
  /** Moves the oldest queued runs of each tenant to running, in the given numbers. */
  admit(counts: ReadonlyMap<TenantId, number>): Promise<StageJob[]>
}

export interface SweepStore {
  /**
   * Runs whose open call or start mark belongs to a dead worker: epoch raised, the open call unknown,
   * three crashes in one stage → failed STAGE_CRASHED. Answers the jobs to enqueue.
   */
  takeOver(): Promise<StageJob[]>
  /**
   * Running runs without live claim or progress for `idleMs`, save those of paused stages: their
   * jobs under a fresh `n`.
   */
  stuck(idleMs: number, paused: readonly StageName[]): Promise<StageJob[]>
  /** Parked runs whose `wakeAt` has come: queued, blocked or failed by their reason. Answers how many. */
  wake(): Promise<number>
  /** Runs that nothing stops any more are queued, and one for each provider whose probe is due. Answers how many. */
  wakeStopped(): Promise<number>
  /** Cancelling runs without a live claim become cancelled. Answers how many. */
  finishCancelled(): Promise<number>
  /** Queued runs whose deadline has passed fail with RUN_DEADLINE_PASSED. Answers how many. */
  expireQueued(): Promise<number>
  /** Checkpoints of which half the time is over are told of once more, once. Answers how many. */
  remindCheckpoints(): Promise<number>
  /** Checkpoints whose time is over expire, and their runs are queued. Answers how many. */
  expireCheckpoints(): Promise<number>
  /** Runs are told of the shares of limits that their calls have reached. Answers how many were told. */
  tellBudgets(): Promise<number>
  /** Unknown holds older than `ageMs` are charged in full, audited. Answers how many. */
  chargeUnknown(ageMs: number): Promise<number>
  /** Makes the partitions of this month and the `months` after it. */
  ensurePartitions(months: number): Promise<void>
}

/** What the sweep does for variants. */
export interface VariantSweep {
  /** Open variants without live worker or progress for `idleMs`: their jobs under a fresh `n`. */
  stuck(idleMs: number): Promise<VariantJob[]>
  /** Gives booked holds back whose variant was cancelled with its run. Answers how many. */
  releaseBooked(): Promise<number>
  /**
   * Runs that wait for variants which nobody may work on wait `waitMs` from now on, up to their
   * deadline. Answers how many.
   */
  keepWaiting(waitMs: number): Promise<number>
  /** Which of the variants are still wanted: the others' calls are to be aborted. */
  wanted(keys: readonly VariantKey[]): Promise<VariantKey[]>
}

export interface RunMarks {
  /** Notes, before a job with `n` ≥ 1 starts, that this worker starts it; see the sweep. */
  markStart(job: StageJob, workerId: WorkerId): Promise<void>
  /** Which of the runs are cancelling, or belong to a stopped tenant: their work is to be aborted. */
  cancelling(runIds: readonly RunId[]): Promise<RunId[]>
}

/** A specification with a schedule, as the tick sees it. */
export interface Scheduled {
  tenantId: TenantId
  specificationId: SpecificationId
  revision: number
  body: Specification
  /** When the specification was (re)activated: periods due before do not fire by themselves. */
  activatedAt: string
  /** The newest period that the ledger knows, if any. */
  lastPeriodKey: string | null
}

/** A period of a schedule, to be entered in the slot ledger. */
export interface PeriodPlan {
  tenantId: TenantId
  specificationId: SpecificationId
  revision: number
  periodKey: string
  from: string
  to: string
  dueAt: string
  deadlineAt: string
  cadence: string
  timeZone: string
  /** `run`: insert the slot and a queued run; `skip`: enter the slot as skipped with the reason. */
  action: 'run' | 'skip'
  reason: string | null
}

export interface ScheduleStore {
  /** Active, automatic specifications whose `nextDueAt` has come, locked for this pass, oldest first. */
  takeDue(
    now: Date,
    limit: number,
    plan: (due: Scheduled) => { periods: PeriodPlan[]; nextDueAt: string | null },
  ): Promise<{ specifications: number; runs: number }>
  /** Free slots of schedules whose `retryAt` has come get a new run; past their deadline they are missed. */
  retryFree(now: Date, limit: number): Promise<{ retried: number; missed: number }>
}

/** A delivery that is due, with what a deliverer needs. */
export interface DueDelivery {
  id: DeliveryId
  tenantId: TenantId
  runId: RunId
  specificationId: SpecificationId
  periodKey: string | null
  deliverer: string
  attempts: number
  artifacts: { format: string; sha256: string; bytes: number }[]
}

export interface DeliveryStore {
  /** Claims due deliveries for a worker; a dead worker's claims are due again. */
  claimDue(workerId: WorkerId, limit: number): Promise<DueDelivery[]>
  succeeded(delivery: DueDelivery, detail: Json): Promise<void>
  failed(delivery: DueDelivery, error: string, nextAttemptAt: Date | null): Promise<void>
}

export interface ChainStore {
  /** Links audit events that are not yet part of their tenant's hash chain. Answers how many. */
  link(limit: number): Promise<number>
}

/** What can be paused and limited: the stages, and `variant`, the children of refinements. */
export type ControlName = StageName | 'variant'

export interface StageControl {
  stage: ControlName
  paused: boolean
  concurrency: number | null
}

export interface StageControls {
  read(): Promise<StageControl[]>
}

/** An audited act on its way into the database; id and instant are added there. */
export interface Act {
  tenantId: TenantId
  actor: string
  action: AuditAction
  subject: string
  detail: Record<string, Json>
}

export interface Operations {
  leadership: Leadership
  leases: Leases
  admission: AdmissionStore
  sweep: SweepStore
  marks: RunMarks
  schedules: ScheduleStore
  deliveries: DeliveryStore
  chain: ChainStore
  variants: VariantSweep
  controls: StageControls
}
