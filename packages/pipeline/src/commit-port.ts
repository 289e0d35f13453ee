import type {
  AlmanacEvent,
  ArtifactId,
  DocumentId,
  DeliveryId,
  ErrorCode,
  ParkReason,
  RunId,
  StageName,
  TenantId,
  VersionId,
  WorkerId,
} from '@almanac/domain'
import type { HashedText } from '@almanac/domain/hash'
import type { RunFacts } from './ports.ts'

/** A version to store; its content is stored before. */
export interface NewStoredVersion {
  id: VersionId
  label: string
  contentHash: string
  packageHash: string
  score: number
  /** Canonical JSON of the evaluation. */
  evaluation: string
}

/** What persist records, beside the run's success; applied by the commit in one transaction. */
export interface Conclusion {
  documentId: DocumentId
  version: NewStoredVersion
  artifacts: {
    id: ArtifactId
    /** One of Almanac's own formats, or an exporter's. */
    format: string
    sha256: string
    bytes: number
    engine: string
    model: string
  }[]
  deliveries: { id: DeliveryId; deliverer: string }[]
}

/** Where a run goes after a stage; made by `decide`, applied by the commit. */
export type Move =
  | { to: 'running'; next: StageName }
  | { to: 'again'; delayMs: number; code: ErrorCode }
  | { to: 'parked'; reason: ParkReason; wakeAt: string; provider?: string }
  | { to: 'succeeded' }
  | { to: 'failed' | 'blocked'; code: ErrorCode; params: object; detail: string }

/** One stage's result on its way into the database. */
export interface StageCommit {
  tenantId: TenantId
  runId: RunId
  epoch: number
  stage: StageName
  workerId: WorkerId
  /** JSON of the stage's output; null when the stage did not finish. */
  output: string | null
  /** The texts that the output names by their hashes, and that are not stored yet. */
  texts?: readonly HashedText[]
  durationMs: number
  move: Move
  events: AlmanacEvent[]
  conclusion: Conclusion | null
}

/** `stale`: the run has another epoch or state; `duplicate`: this stage was committed before. */
export type Verdict = 'committed' | 'stale' | 'duplicate'

/** The one way in which a stage changes a run; may group the commits of concurrent jobs. */
export interface CommitStage {
  commitStage(commit: StageCommit): Promise<Verdict>
}

/** A run as the runner finds it. */
export interface LoadedRun {
  facts: RunFacts
  epoch: number
  state: string
  nextStage: StageName
  /** Failed tries of `nextStage` so far. */
  tries: number
  /** JSON of the stored outputs by stage. */
  outputs: Partial<Record<StageName, string>>
  /** Of a retry or rerun: the outputs of the run that it came from. */
  originOutputs: Partial<Record<StageName, string>>
}

export interface RunStore {
  /** The run with its outputs, or undefined when there is none. */
  load(tenantId: TenantId, runId: RunId): Promise<LoadedRun | undefined>
}
