export { buildRequest, requestOf } from './calls/call-engine.ts'
export {
  createRateGate,
  unlimitedRates,
  type BucketAnswer,
  type BucketEnding,
  type KeyLimits,
  type LimitedCall,
  type RateBuckets,
  type RateGateParts,
  type RateLimits,
} from './calls/rate-gate.ts'
export { unstoppedSpending } from './calls/spend-gate.ts'
export { changesBetween, type StoredVersion } from './changes-between.ts'
export { diffPage, diffText } from './changes-page.ts'
export { readPackage, rememberContent } from './content.ts'
export { decide, longestDelayMs } from './decide.ts'
export { estimateRun, type EstimatePorts, type RunEstimate } from './estimate-run.ts'
export { estimateTokens } from './evidence-choice.ts'
export { runInline } from './inline.ts'
export { noJudge } from './judging/judge-port.ts'
export { waitMs as generationWaitMs } from './refinement/grow-generation.ts'
export { pipeline } from './pipeline.ts'
export {
  runVariant,
  variantTimeoutMs,
  type VariantJobEnd,
  type VariantPorts,
} from './refinement/run-variant.ts'
export { strategyIssues } from './refinement/strategy-issues.ts'
export { refinementIssues } from '@almanac/refinement'
export { noStrategies } from './refinement/strategies-port.ts'
export * from './operations.ts'
export * from './ports.ts'
export { runStage, type JobEnd, type RunnerPorts, type StageLog } from './runner.ts'
export { defineStage, definePipeline, Park, Elsewhere, type AnyStage } from './stage.ts'
export { whoGoesNext, type Waiting } from './who-goes-next.ts'
