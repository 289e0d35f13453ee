import type { WorkerId } from '@almanac/domain'
import type { CallRef, HoldRequest, LoadedRun } from '@almanac/pipeline'

/** A call of a run's execute stage that may cost `microUsd`, 5,000 micro-USD and 100 tokens unless told. */
export const holdRequest = (
  { facts, epoch }: LoadedRun,
  workerId: WorkerId,
  over: Partial<HoldRequest> = {},
): HoldRequest => ({
  run: facts,
  epoch,
  stage: 'execute',
  workerId,
  callKey: 'draft:1',
  call: '{"kind":"draft","n":1}',
  provider: 'test',
  model: 'test-1',
  requestHash: 'r',
  reuse: false,
  packageHash: 'p',
  estimate: { microUsd: 5_000, tokens: 100 },
  runLimit: { microUsd: 500_000, tokens: 80_000 },
  ...over,
})

/** What an answer cost; 3,000 micro-USD and 60 tokens unless told. */
export const settlement = (
  over: { costMicroUsd?: number; outputHash?: string | null; tokens?: number } = {},
) => ({
  costMicroUsd: over.costMicroUsd ?? 3_000,
  usage: {
    inputTokens: over.tokens ?? 60,
    cachedInputTokens: 0,
    outputTokens: 0,
    estimated: false,
  },
  outcome: 'completed' as const,
  served: { model: 'test-1', tier: 'standard' },
  requestId: 'q',
  outputHash: over.outputHash === undefined ? 'out' : over.outputHash,
})

export const callRef = ({ facts }: LoadedRun, seq = 1, callKey = 'draft:1'): CallRef => ({
  run: facts,
  callKey,
  seq,
})
