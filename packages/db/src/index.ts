export * from './verify/index.ts'
export * from './nouns/index.ts'
export { checkAudit, type AuditCheck, type AuditFinding } from './audit/check-audit.ts'
export { auditLineText, exportAudit, type AuditLine } from './audit/export-audit.ts'
export { auditEventOf, chainHash, type AuditRow, type ChainLink } from './chain.ts'
export { createAesCodec, plainCodec, type Codec, type ContentKey, type Sealed } from './codec.ts'
export { openText, sealText, type StoredBlob } from './content.ts'
export { groupCalls } from './group-calls.ts'
export { assertMigrated, migrate, migrationState, type MigrationState } from './migrate.ts'
export {
  connectDatabase,
  type Database,
  type DatabaseOptions,
  type DatabaseUrls,
  type DedicatedConnection,
  type Purpose,
  type Trx,
} from './pool.ts'
export * from './operators/index.ts'
export { prepareStatements } from './prepare-statements.ts'
export { createProbes, type ProbedEndpoint, type Probes } from './probes.ts'
export { createOperations, createPorts, type DatabasePorts } from './ports.ts'
export { createPostgresBuckets } from './rates/postgres-buckets.ts'
export { createSpendGate, type PostgresSpendGate } from './rates/spend-gate.ts'
export * from './rates/stops.ts'
export * from './refinement/index.ts'
export { rememberRuns, rememberSpecifications } from './run-memory.ts'
export type { BudgetLevel, CallState, Schema } from './schema.ts'
export {
  changeStageControl,
  listStageControls,
  type StageControlChange,
  type StageControlView,
} from './stage-controls.ts'
