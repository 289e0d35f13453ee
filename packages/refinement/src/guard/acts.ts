import {
  checkpointDecisions,
  checkpointId,
  checkpointPolicy,
  generationKinds,
  refinementLimits,
  runId,
  stopReasons,
  termination,
  variantStates,
  versionId,
} from '@almanac/domain'
import { z } from 'zod'
import { amount, bestVersion } from './lineage.ts'
import { conditionVerdicts } from './verdict.ts'

const count = z.int().min(0)
/** The number of the act within its root: gapless, taken under the root's lock. */
const act = z.int().min(1)
const generation = z.int().min(1)
const reached = z.array(
  z.strictObject({
    limit: z.enum(['depth', 'children', 'tokens', 'microUsd']),
    after: count,
    allowed: count,
  }),
)
const snapshot = z.strictObject({
  rootId: runId,
  parentId: versionId,
  depth: generation,
  childrenGenerated: count,
  costSpent: amount,
  budgetRemaining: amount,
  termination,
  timestamp: z.iso.datetime(),
})

/** The audited acts of a root, by action: the details from which `prove` derives everything again. */
export const refinementActs = {
  'refinement.started': z.strictObject({
    act,
    limits: refinementLimits,
    limitsHash: z.string(),
    policy: checkpointPolicy,
    requestedBy: z.string(),
    selfApproval: z.boolean(),
    draft: bestVersion,
    /** What the root had spent before its first generation. */
    spent: amount,
    deadlineAt: z.nullable(z.iso.datetime()),
  }),
  'refinement.granted': z.strictObject({
    act,
    generation,
    kind: z.enum(generationKinds),
    children: z.int().min(1),
    estimate: amount,
    snapshot,
    snapshotHash: z.string(),
    limitsHash: z.string(),
    checkpointId: z.nullable(checkpointId),
    /** Where there are conditions of plugins: what they said. */
    verdicts: conditionVerdicts.exactOptional(),
  }),
  'refinement.refused': z.strictObject({
    act,
    generation,
    code: z.string(),
    limit: z.string(),
    value: z.string(),
    allowed: z.string(),
  }),
  'refinement.variant_closed': z.strictObject({
    act,
    generation,
    ordinal: z.int().min(1),
    state: z.enum(variantStates).exclude(['open']),
    /** Why it failed or was cancelled. */
    because: z.nullable(z.string()),
    microUsd: count,
    tokens: count,
    versionId: z.nullable(versionId),
    score: z.nullable(z.number()),
  }),
  'refinement.merged': z.strictObject({
    act,
    generation,
    merge: z.enum(['accepted', 'rejected', 'none']),
    /** The merged version and its parents; null where none was accepted. */
    merged: z.nullable(
      z.strictObject({ id: versionId, score: z.number(), parents: z.array(versionId) }),
    ),
    best: bestVersion,
  }),
  'refinement.rolled_back': z.strictObject({ act, best: bestVersion, reason: z.string() }),
  'refinement.limits_changed': z.strictObject({
    act,
    limits: refinementLimits,
    limitsHash: z.string(),
    reason: z.string(),
  }),
  'refinement.ended': z.strictObject({
    act,
    stopReason: z.enum(stopReasons),
    best: bestVersion,
    verdicts: conditionVerdicts.exactOptional(),
  }),
  /** Somebody tried what the rules do not allow him; nothing came of it. */
  'refinement.attempt_refused': z.strictObject({
    act,
    attempt: z.enum(['lend', 'raise_limits', 'roll_back']),
    because: z.string(),
  }),
  'checkpoint.requested': z.strictObject({
    act,
    checkpointId,
    generation,
    snapshotHash: z.string(),
    limitsHash: z.string(),
    requestedBy: z.string(),
    expiresAt: z.iso.datetime(),
    reached,
  }),
  'checkpoint.decided': z.strictObject({
    act,
    checkpointId,
    decision: z.enum(checkpointDecisions),
    reason: z.string(),
  }),
  'checkpoint.lent': z.strictObject({ act, checkpointId, to: z.string() }),
  'checkpoint.answer_refused': z.strictObject({
    act,
    checkpointId: z.string(),
    answer: z.string(),
    because: z.string(),
  }),
} as const

export type RefinementAction = keyof typeof refinementActs
export type RefinementAct<A extends RefinementAction = RefinementAction> = z.output<
  (typeof refinementActs)[A]
>

export const isRefinementAction = (action: string): action is RefinementAction =>
  Object.hasOwn(refinementActs, action)

/** The principal in whose name a policy answers. */
export const policyPrincipal = (revision: number): string => `policy:${revision}`
