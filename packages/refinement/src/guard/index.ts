export * from './acts.ts'
export * from './checkpoint-policy.ts'
export * from './decide-call.ts'
export * from './effective-score.ts'
export * from './lineage.ts'
export * from './prove.ts'
export * from './refinement-issues.ts'
export * from './refusal.ts'
export * from './should-stop.ts'
export {
  childCallKey,
  createChildCall,
  limitsHash,
  snapshotHash,
  type ChildCall,
  type ChildWish,
  type Snapshot,
  type SnapshotFacts,
} from './snapshot.ts'
export * from './termination.ts'
export { conditionVerdict, conditionVerdicts, type ConditionVerdict } from './verdict.ts'
