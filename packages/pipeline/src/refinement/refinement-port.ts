import type {
  DocumentId,
  ErrorCode,
  GenerationKind,
  RefinementLimits,
  RunId,
  StopReason,
  TenantId,
  VariantState,
  VersionId,
  WorkerId,
} from '@almanac/domain'
import type {
  Amount,
  CheckpointPolicy,
  ChildCall,
  ConditionVerdict,
  Lineage,
  Snapshot,
} from '@almanac/refinement'
import type { BudgetLedger, HoldRequest, NewStoredVersion } from '../ports.ts'

/**
 * What refinement asks of its store. Everything about one root happens under the lock of its run; what
 * the refine stage asks is fenced by the run's epoch, and what a variant asks by the variant's state.
 */

/** The root of a refinement: the run whose document it refines. */
export interface RootKey {
  tenantId: TenantId
  runId: RunId
}

export interface RootClaim extends RootKey {
  epoch: number
}

/** One variant of a root's generation. */
export interface VariantKey extends RootKey {
  generation: number
  ordinal: number
}

/** A variant's job; `n` makes the id of a re-add fresh. */
export interface VariantJob extends VariantKey {
  n: number
}

export interface RefinedVersion {
  id: VersionId
  label: string
  contentHash: string
  score: number
  /** The generation that made it; 0 for the draft. */
  depth: number
}

/** What the stage finds when it begins or comes back. */
export interface RefinedRoot {
  limits: RefinementLimits
  lineage: Lineage
  /** The parts that were to be expanded so far, whatever came of it. */
  expanded: string[]
  /** The generation that waits to be merged; null when there is none. */
  generation: {
    generation: number
    kind: GenerationKind
    parentId: VersionId
    variants: {
      ordinal: number
      state: VariantState
      version: { id: VersionId; label: string; contentHash: string; score: number } | null
    }[]
  } | null
}

/** A generation that the stage wants: one child for each strategy, or for each part to expand. */
export interface WantedGeneration {
  kind: GenerationKind
  /** Judged by the guard whatever it is: typed conditions, see `termination` of the domain. */
  termination: unknown
  /** What the conditions of plugins said of the root's lineage; recorded with the grant. */
  verdicts?: readonly ConditionVerdict[]
  /** `part`: what an expansion is of; of a variant its place. */
  children: readonly { strategy: string; part?: string; estimate: Amount }[]
  /** The hold of one child: pure and quick, it runs under the root's lock. Its estimate is the child's. */
  holdOf(child: ChildCall, index: number): Omit<HoldRequest, 'callKey' | 'estimate'>
  /** How long variants are waited for at most, in milliseconds; never past the run's deadline. */
  waitMs: number
}

export type PreparedGeneration =
  | { kind: 'booked'; snapshot: Snapshot; calls: ChildCall[] }
  | { kind: 'waiting' }
  /** Spending is stopped: nothing was booked. */
  | { kind: 'stopped' }
  | { kind: 'stale' }

export type MergeOutcome =
  | { merge: 'accepted'; version: NewStoredVersion & { parents: VersionId[] } }
  | { merge: 'rejected' | 'none' }

export type VariantOutcome =
  | { state: 'done'; version: NewStoredVersion & { parents: VersionId[] } }
  /** `because` says more than the code, and nothing of the document: it is audited. */
  | { state: 'failed'; errorCode: ErrorCode; because?: string }
  | { state: 'cancelled' }

/** What a variant needs of its root: the call that was booked, and the version that it grows from. */
export interface VariantWork {
  epoch: number
  /** JSON of the call. */
  call: string
  parent: RefinedVersion
  packageHash: string
}

export interface Refinement {
  /** Makes a run a root and stores its draft's version, once. */
  open(
    claim: RootClaim,
    opening: {
      documentId: DocumentId
      limits: RefinementLimits
      policy: CheckpointPolicy
      draft: NewStoredVersion
    },
  ): Promise<'opened' | 'known' | 'stale'>
  /** The root under its run's lock; undefined when the run is not the caller's any more. */
  resume(claim: RootClaim): Promise<RefinedRoot | undefined>
  /** Books a generation and parks its run. Throws REFINEMENT_REFUSED, after it was recorded. */
  prepare(claim: RootClaim, wanted: WantedGeneration): Promise<PreparedGeneration>
  recordMerge(
    claim: RootClaim,
    generation: number,
    outcome: MergeOutcome,
  ): Promise<'recorded' | 'duplicate' | 'stale'>
  /**
   * Ends the refinement, once; undefined when the run is not the caller's any more. `verdicts`: what the
   * conditions of plugins said, to be recorded with the end.
   */
  end(
    claim: RootClaim,
    stopReason: StopReason,
    verdicts: readonly ConditionVerdict[],
  ): Promise<{ stopReason: StopReason; best: { id: string } } | undefined>
  /** All versions of a root, in the order of their making. */
  versions(root: RootKey): Promise<RefinedVersion[]>

  /** Hands a booked generation's jobs to whoever runs them; one that is lost is found again. */
  enqueue(jobs: readonly VariantJob[]): Promise<void>
  /** Claims a variant: `busy` while another live worker has it, `closed` when nobody needs it any more. */
  begin(key: VariantKey, workerId: WorkerId): Promise<'begun' | 'busy' | 'closed'>
  work(key: VariantKey): Promise<VariantWork | undefined>
  /** Closes a variant, once; the last one of a generation queues its run. */
  finish(key: VariantKey, outcome: VariantOutcome): Promise<{ remaining: number }>
  /** The ledger as variants use it: a child's first hold was booked with its generation. */
  ledger: BudgetLedger
}
