export { raiseLimits } from './change-limits.ts'
export {
  answerCheckpoint,
  expireCheckpoints,
  lendCheckpoint,
  remindCheckpoints,
  type Answer,
  type Approver,
} from './checkpoints.ts'
export {
  listCheckpoints,
  previewCheckpoints,
  type CheckpointFilter,
  type CheckpointView,
} from './list-checkpoints.ts'
export { openRoot, type RootOpening } from './open-root.ts'
export { prepareCall, type Prepared } from './prepare-call.ts'
export {
  getCheckpoint,
  readStanding,
  type CheckpointDetail,
  type Standing,
} from './read-checkpoint.ts'
export { proveRoot } from './prove-root.ts'
export type { RootClaim, RootKey } from './root-key.ts'
export { recordRefusedAttempt, type RefusedAttempt } from './refused-attempt.ts'
export { endRoot, recordMerge, rollBack, type MergeResult } from './settle-root.ts'
export type { StoredRoot, StoredVariant } from './stored-root.ts'
export {
  createVariantLedger,
  createVariants,
  type VariantClosed,
  type VariantEnd,
  type VariantJob,
  type VariantKey,
  type VariantStore,
} from './variants.ts'
