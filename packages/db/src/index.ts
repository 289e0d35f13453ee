export * from './verify/index.ts'
export * from './nouns/index.ts'
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
export { createOperations, createPorts, type DatabasePorts } from './ports.ts'
export { rememberRuns } from './run-memory.ts'
export type { BudgetLevel, CallState, Schema } from './schema.ts'
