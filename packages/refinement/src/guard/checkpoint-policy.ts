import { type checkpointPolicy } from '@almanac/domain'
import type { z } from 'zod'
import { effectiveScore } from './effective-score.ts'
import type { Amount, Lineage } from './lineage.ts'
import { bestOf } from './termination.ts'

export type CheckpointPolicy = z.output<typeof checkpointPolicy>

/** Who answers a checkpoint: a person is waited for, or the policy has answered. */
export type PolicyAnswer = { answer: 'wait' } | { answer: 'approved' | 'denied'; reason: string }

/**
 * What a policy says to a generation that may cost `estimate`. `granted` is what this policy has already
 * approved for the root: its extras are for the root, not for each generation. The gain is what the last
 * generation has added to the effective score; before the first, what is left to a full score. Pure.
 */
export function answerByPolicy(
  policy: CheckpointPolicy,
  {
    lineage,
    decay,
    estimate,
    granted,
  }: { lineage: Lineage; decay: number; estimate: Amount; granted: Amount },
): PolicyAnswer {
  if (policy === 'human') return { answer: 'wait' }
  if (policy === 'stop') return denied('the policy is to stop at a checkpoint')
  const { maxExtraMicroUsd, maxExtraTokens, minGain } = policy.auto
  const microUsd = granted.microUsd + estimate.microUsd
  if (microUsd > maxExtraMicroUsd)
    return denied(`it makes ${microUsd} extra micro-USD; maxExtraMicroUsd is ${maxExtraMicroUsd}`)
  const tokens = granted.tokens + estimate.tokens
  if (tokens > maxExtraTokens)
    return denied(`it makes ${tokens} extra tokens; maxExtraTokens is ${maxExtraTokens}`)
  const gain = lastGain(lineage, decay)
  if (gain < minGain) return denied(`the gain is ${round(gain)}; minGain is ${minGain}`)
  return {
    answer: 'approved',
    reason: `the gain is ${round(gain)}, and the extras are within bounds`,
  }
}

const denied = (reason: string): PolicyAnswer => ({ answer: 'denied', reason })
const round = (value: number) => Math.round(value * 1_000_000) / 1_000_000

function lastGain(lineage: Lineage, decay: number): number {
  const [before, now] = [lineage.bests.at(-2), bestOf(lineage)]
  if (!before) return 1 - now.score
  const worth = ({ score, depth }: typeof now) => effectiveScore(score, depth, decay)
  return worth(now) - worth(before)
}
