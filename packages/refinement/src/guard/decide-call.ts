import {
  generationKinds,
  refinementLimits,
  type GenerationKind,
  type RefinementLimits,
  type Termination,
} from '@almanac/domain'
import { z } from 'zod'
import { amount, lineage as lineageSchema, type Amount, type Lineage } from './lineage.ts'
import { refusal, type Refusal, type RefusalCode } from './refusal.ts'
import {
  factsOf,
  grantSnapshot,
  limitsHash,
  snapshotHash,
  type Snapshot,
  type SnapshotFacts,
} from './snapshot.ts'
import { checkTermination } from './termination.ts'
import { conditionVerdicts, type ConditionVerdict } from './verdict.ts'

/** A generation that somebody wants: how many children, what all of them may cost, what will end it. */
export interface WantedCall {
  /** Variants of the whole document unless told: every limit holds for all kinds alike. */
  kind?: GenerationKind
  children: number
  /** The most that all children together can cost. */
  estimate: Amount
  termination: unknown
  /** What the conditions of plugins among them said of this lineage. */
  verdicts?: readonly ConditionVerdict[]
}

/** A limit of which the call would use the ratio or more. */
export interface Reached {
  limit: 'depth' | 'children' | 'tokens' | 'microUsd'
  /** Usage after the call. */
  after: number
  allowed: number
}

/** A call that needs a decision first: what it would reach, and what a decision is bound to. */
export interface CheckpointNeeded {
  facts: SnapshotFacts
  reached: Reached[]
  snapshotHash: string
  limitsHash: string
}

export type CallDecision =
  | { kind: 'granted'; snapshot: Snapshot; checkpointId: string | null; reached: Reached[] }
  | { kind: 'checkpoint'; needed: CheckpointNeeded }
  | { kind: 'refused'; refusal: Refusal }

const wantedCall = z.object({
  kind: z.enum(generationKinds).exactOptional(),
  children: z.int().min(1),
  estimate: amount,
  termination: z.unknown(),
  verdicts: conditionVerdicts.exactOptional(),
})

/**
 * Decides whether a generation may be made. Pure and total: whatever it is given, it answers, and
 * nothing has been booked. In this order:
 *
 *   1. everything must be readable, the root must go on, no generation may be open
 *   2. a termination condition must be there, and be able to come true
 *   3. depth, children, tokens, money and cost ceilings after the call must be within their limits
 *   4. from the ratio of a limit on, an approval of exactly this call under these limits is needed
 */
export function decideCall(lineage: unknown, limits: unknown, call: unknown): CallDecision {
  try {
    return decide(lineage, limits, call)
  } catch {
    // A getter or proxy that throws while it is read: what cannot be read is not allowed.
    return refused(refusal('CALL_INVALID', 'call', 'something unreadable', 'plain values'))
  }
}

const refused = (value: Refusal): CallDecision => ({ kind: 'refused', refusal: value })

function decide(givenLineage: unknown, givenLimits: unknown, givenCall: unknown): CallDecision {
  const limits = refinementLimits.safeParse(givenLimits)
  if (!limits.success) return unreadable('LIMITS_INVALID', 'limits', limits.error)
  const lineage = lineageSchema.safeParse(givenLineage)
  if (!lineage.success) return unreadable('LINEAGE_INVALID', 'lineage', lineage.error)
  const call = wantedCall.safeParse(givenCall)
  if (!call.success) return unreadable('CALL_INVALID', 'call', call.error)
  return judge(lineage.data, limits.data, call.data)
}

function unreadable(code: RefusalCode, what: string, { issues }: z.ZodError): CallDecision {
  const [issue] = issues
  const where = [what, ...(issue?.path.map(String) ?? [])].join('.')
  return refused(refusal(code, where, 'not valid', issue?.message))
}

function judge(lineage: Lineage, limits: RefinementLimits, call: WantedCall): CallDecision {
  if (lineage.ended !== null)
    return refused(refusal('ROOT_ENDED', 'root', lineage.ended, 'a refinement that goes on'))
  if (lineage.generationOpen)
    return refused(
      refusal('GENERATION_OPEN', 'generation', lineage.depth, 'one generation at a time'),
    )
  if (lineage.deadlineAt !== null && Date.parse(lineage.deadlineAt) <= Date.parse(lineage.now))
    return refused(refusal('DEADLINE_PASSED', 'deadline', lineage.now, lineage.deadlineAt))
  const usage = usageAfter(lineage, limits, call)
  // First, because no condition can come true in a generation that does not fit at all.
  const exceeded = usage.slice(0, 2).find(({ after, allowed }) => after > allowed)
  const { children, verdicts = [] } = call
  const checked = checkTermination(call.termination, limits, { lineage, children, verdicts })
  if (!checked.ok && !exceeded) return refused(checked.refusal)
  if (!checked.ok && checked.refusal.code !== 'TERMINATION_IMPOSSIBLE')
    return refused(checked.refusal)
  const over = usage.find(({ after, allowed }) => after > allowed)
  if (over) return refused(refusal(codes[over.limit], over.limit, over.after, over.allowed))
  if (!checked.ok) return refused(checked.refusal)
  const ceiling = brokenCeiling(checked.termination, usage)
  if (ceiling) return refused(ceiling)

  const facts = factsOf(lineage, limits, checked.termination)
  const reached = usage.filter((use) => reaches(use, limits.checkpointRatio))
  if (reached.length === 0)
    return {
      kind: 'granted',
      snapshot: grantSnapshot(facts, call.children),
      checkpointId: null,
      reached,
    }
  return answered(lineage, call, {
    facts,
    reached,
    snapshotHash: snapshotHash(facts, call),
    limitsHash: limitsHash(limits),
  })
}

const codes = {
  depth: 'DEPTH_EXCEEDED',
  children: 'CHILDREN_EXCEEDED',
  tokens: 'TOKENS_EXCEEDED',
  microUsd: 'COST_EXCEEDED',
} as const satisfies Record<Reached['limit'], RefusalCode>

/** What would be used of each limit after the call. */
export function usageAfter(
  { depth, childrenGenerated, spent, held }: Lineage,
  limits: RefinementLimits,
  { children, estimate }: Pick<WantedCall, 'children' | 'estimate'>,
): Reached[] {
  return [
    { limit: 'depth', after: depth + 1, allowed: limits.maxDepth },
    { limit: 'children', after: childrenGenerated + children, allowed: limits.maxChildren },
    {
      limit: 'tokens',
      after: spent.tokens + held.tokens + estimate.tokens,
      allowed: limits.tokens,
    },
    {
      limit: 'microUsd',
      after: spent.microUsd + held.microUsd + estimate.microUsd,
      allowed: limits.microUsd,
    },
  ]
}

/** Whether a use is at or above a share of its limit; in whole ten-thousandths, so that 80 % is exact. */
export const reaches = ({ after, allowed }: Reached, ratio: number): boolean =>
  after > 0 && after * 10_000 >= Math.round(ratio * 10_000) * allowed

function brokenCeiling(termination: Termination, usage: readonly Reached[]): Refusal | undefined {
  for (const condition of termination) {
    if (condition.type !== 'cost_ceiling') continue
    for (const unit of ['microUsd', 'tokens'] as const) {
      const ceiling = condition[unit]
      const after = usage.find(({ limit }) => limit === unit)?.after ?? 0
      if (ceiling !== undefined && after > ceiling)
        return refusal('CEILING_EXCEEDED', `cost_ceiling.${unit}`, after, ceiling)
    }
  }
  return undefined
}

/** What a checkpoint of this generation has to say: an approval is for this call and these limits only. */
function answered(lineage: Lineage, call: WantedCall, needed: CheckpointNeeded): CallDecision {
  const { checkpoint } = lineage
  const { depth } = needed.facts
  switch (checkpoint?.decision) {
    case 'denied':
      return refused(
        refusal('CHECKPOINT_DENIED', 'checkpoint', 'denied', `an approval of generation ${depth}`),
      )
    case 'expired':
      return refused(
        refusal(
          'CHECKPOINT_EXPIRED',
          'checkpoint',
          'expired',
          `an approval of generation ${depth}`,
        ),
      )
    case 'cancelled':
      return refused(
        refusal(
          'CHECKPOINT_CANCELLED',
          'checkpoint',
          'cancelled',
          `an approval of generation ${depth}`,
        ),
      )
    case 'approved':
      if (
        !checkpoint.used &&
        checkpoint.limitsHash === needed.limitsHash &&
        checkpoint.snapshotHash === needed.snapshotHash
      ) {
        const snapshot = grantSnapshot(needed.facts, call.children)
        return { kind: 'granted', snapshot, checkpointId: checkpoint.id, reached: needed.reached }
      }
      return { kind: 'checkpoint', needed }
    case 'voided':
    case null:
    case undefined:
      return { kind: 'checkpoint', needed }
  }
}
