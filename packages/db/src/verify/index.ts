export type { CheckResult, Problem, PromiseId, Rebuild, RowKey, StoredCall } from './check.ts'
export { verify, type VerifyOptions, type VerifyProgress, type VerifyReport } from './verify.ts'
