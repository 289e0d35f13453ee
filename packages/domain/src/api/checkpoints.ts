import { z } from 'zod'
import { checkpointId, principalId, runId, specificationId, versionId } from '../ids.ts'
import { plainLine } from '../plain-text.ts'
import {
  checkpointDecisions,
  checkpointStates,
  generationKinds,
  refinementLimits,
} from '../refinement.ts'
import { instant, pageOf, pageQuery } from './pages.ts'
import { defineRoute } from './route.ts'

const amounts = z.strictObject({ microUsd: z.int(), tokens: z.int() })

/** A checkpoint: a run that waits for somebody to allow one more generation, or waited once. */
export const checkpointResource = z
  .strictObject({
    id: checkpointId,
    runId,
    specificationId,
    state: z.enum(checkpointStates),
    /** The generation that was asked for: of how many variants, or of how many phases to expand. */
    generation: z.int(),
    kind: z.enum(generationKinds),
    children: z.int(),
    /** What it may cost at most. */
    estimate: amounts,
    /** The limits of which it would use more than the share that needs a decision. */
    reached: z.array(
      z.strictObject({
        limit: z.enum(['depth', 'children', 'tokens', 'microUsd']),
        after: z.number(),
        allowed: z.number(),
      }),
    ),
    /** What an answer is bound to. */
    snapshotHash: z.string(),
    requestedBy: z.string(),
    requestedAt: instant,
    expiresAt: instant,
    remindedAt: z.nullable(instant),
    decision: z.nullable(z.enum(checkpointDecisions)),
    decidedBy: z.nullable(z.string()),
    decidedAt: z.nullable(instant),
    reason: z.nullable(z.string()),
  })
  .meta({ id: 'Checkpoint' })
export type CheckpointResource = z.output<typeof checkpointResource>

export const checkpointDetail = checkpointResource
  .extend({
    specificationName: z.string(),
    /** The version that the generation would grow from. */
    best: z.strictObject({ versionId, label: z.string(), score: z.number() }),
    /** What the refinement had cost when it asked, and what was left of its limits. */
    spent: amounts,
    remaining: amounts,
    /** The limits as they are now. */
    limits: refinementLimits,
    /** Of the limits that it was asked under. */
    limitsHash: z.string(),
  })
  .meta({ id: 'CheckpointDetail' })
export type CheckpointDetailResource = z.output<typeof checkpointDetail>

const choice = z.enum(['approve', 'deny'])
const reason = plainLine(500)
/** The limits to raise, and what they are to be; which may be raised is for the guard to say. */
const raisedLimits = z
  .strictObject({
    maxDepth: z.int(),
    maxChildren: z.int(),
    microUsd: z.int(),
    tokens: z.int(),
    checkpointExpiryMinutes: z.int(),
  })
  .partial()
  .refine((limits) => Object.keys(limits).length > 0, { error: 'must name a limit to raise' })

export const checkpointAnswer = z
  .strictObject({
    decision: choice,
    reason,
    /** The `snapshotHash` that was looked at; an answer to another one is refused as stale. */
    snapshotHash: z.string().max(100).optional(),
    limits: raisedLimits.optional(),
  })
  .refine((answer) => answer.limits === undefined || answer.decision === 'approve', {
    error: 'may be raised with the decision approve only',
    path: ['limits'],
  })

/** Which checkpoints: pending ones, further narrowed. */
export const checkpointFilter = z.strictObject({
  specificationId: specificationId.optional(),
  runId: runId.optional(),
  requestedBy: z.string().max(100).optional(),
})
export type CheckpointFilterInput = z.output<typeof checkpointFilter>

export const checkpointBulk = z
  .strictObject({
    /** The first call: which would be decided. */
    filter: checkpointFilter.optional(),
    /** The second call: the preview's token, with the decision. */
    token: z.string().max(100_000).optional(),
    decision: choice.optional(),
    reason: reason.optional(),
  })
  .superRefine(({ filter, token, decision, reason: why }, context) => {
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if ((filter === undefined) === (token === undefined))
      refuse('filter', 'must be there for a preview, or token for the decision, and not both')
    else if (token !== undefined) {
      if (decision === undefined) refuse('decision', 'must be approve or deny')
      if (why === undefined) refuse('reason', 'must say why; it is audited')
    } else if (decision !== undefined)
      refuse('decision', 'comes with the token of a preview, not with a filter')
  })

const bulkPreview = z.strictObject({
  kind: z.literal('preview'),
  count: z.int(),
  /** What approving all of them may cost at most. */
  estimate: amounts,
  checkpointIds: z.array(checkpointId),
  /** For the second call; it names exactly these checkpoints. */
  token: z.string(),
  expiresAt: instant,
})
const bulkDecided = z.strictObject({
  kind: z.literal('decided'),
  decided: z.int(),
  refused: z.int(),
  results: z.array(
    z.strictObject({
      id: checkpointId,
      outcome: z.enum(['approved', 'denied', 'refused']),
      /** Of one that was refused. */
      code: z.nullable(z.string()),
      detail: z.nullable(z.string()),
    }),
  ),
})

/** What a bulk call answers: to a filter the preview, to its token what became of each. */
export const checkpointBulkResult = z
  .discriminatedUnion('kind', [bulkPreview, bulkDecided])
  .meta({ id: 'CheckpointBulkResult' })
export type CheckpointBulkResult = z.output<typeof checkpointBulkResult>

const loan = z.strictObject({ checkpointId, principalId, lentBy: z.string() })
const rolledBack = z.strictObject({ runId, versionId })

const tag = 'Checkpoints'
const byId = z.strictObject({ id: checkpointId })

export const checkpointRoutes = {
  listCheckpoints: defineRoute({
    method: 'get',
    path: '/v1/checkpoints',
    tag,
    summary: 'List checkpoints, by state, specification or run where that is asked',
    scope: 'runs:read',
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(checkpointStates).optional(),
      specificationId: specificationId.optional(),
      runId: runId.optional(),
    }),
    response: pageOf(checkpointResource),
  }),
  getCheckpoint: defineRoute({
    method: 'get',
    path: '/v1/checkpoints/:id',
    tag,
    summary: 'One checkpoint: what was made, what it cost, what the next generation may cost',
    scope: 'runs:read',
    params: byId,
    response: checkpointDetail,
    errors: ['NOT_FOUND'],
  }),
  decideCheckpoint: defineRoute({
    method: 'post',
    path: '/v1/checkpoints/:id/decision',
    tag,
    summary: 'Approve or deny one more generation, or raise the limits that it would reach',
    description:
      'Needs checkpoint:approve, or a loan of it for this checkpoint, and another principal than the one who asked for the run, unless the tenant allows that. An answer counts once, before the checkpoint expires, and for the limits that it was asked under; every other one is refused and recorded. With `limits` these are raised, with the reason: the checkpoint is then void, and the run goes on and asks anew only where it still has to.',
    scope: 'runs:read',
    params: byId,
    body: checkpointAnswer,
    response: checkpointDetail,
    errors: [
      'NOT_FOUND',
      'INPUT_INVALID',
      'SCOPE_MISSING',
      'STATE_CONFLICT',
      'CHECKPOINT_OWN_REQUEST',
      'CHECKPOINT_CLOSED',
    ],
  }),
  decideCheckpoints: defineRoute({
    method: 'post',
    path: '/v1/checkpoints/decisions',
    tag,
    summary: 'Decide many checkpoints: first a preview with the total cost, then its token',
    description:
      'A call with a filter changes nothing: it answers which pending checkpoints it names (at most 1,000), what approving them may cost, and a token that names exactly these. A call with the token and a decision answers each of them by itself; what has changed meanwhile is refused and recorded, one by one.',
    scope: 'checkpoint:approve',
    body: checkpointBulk,
    response: checkpointBulkResult,
    errors: ['INPUT_INVALID'],
  }),
  lendCheckpoint: defineRoute({
    method: 'post',
    path: '/v1/checkpoints/:id/lend',
    tag,
    summary:
      'Lend the right to decide one checkpoint to another principal of the tenant; audited, as is a refusal',
    scope: 'checkpoint:approve',
    params: byId,
    body: z.strictObject({ principalId }),
    response: loan,
    idempotent: true,
    errors: ['NOT_FOUND', 'CHECKPOINT_OWN_REQUEST', 'CHECKPOINT_CLOSED'],
  }),
  rollBackRun: defineRoute({
    method: 'post',
    path: '/v1/runs/:id/rollback',
    tag: 'Runs',
    summary: 'Let a refinement go on from an earlier version of its own; audited, as is a refusal',
    description:
      'Only between two generations of a refinement that still goes on. A checkpoint that the run waits at is void: the run is queued, and asks anew.',
    scope: 'runs:write',
    params: z.strictObject({ id: runId }),
    body: z.strictObject({ versionId, reason }),
    response: rolledBack,
    idempotent: true,
    errors: ['NOT_FOUND', 'STATE_CONFLICT'],
  }),
} as const
