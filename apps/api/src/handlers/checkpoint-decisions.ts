import { answerCheckpoint, type Answer, type Approver, type Caller } from '@almanac/db'
import {
  AlmanacError,
  checkpointId,
  isAlmanacError,
  principalId,
  tenantId,
  type CheckpointBulkResult,
  type CheckpointId,
  type ErrorCode,
} from '@almanac/domain'
import { z } from 'zod'
import { readToken, signToken } from '../checkpoint-page/signed-token.ts'
import type { ApiParts } from '../parts.ts'

/** What one checkpoint may answer without ending the decision about the others. */
const refusals = new Set<ErrorCode>([
  'NOT_FOUND',
  'SCOPE_MISSING',
  'CHECKPOINT_OWN_REQUEST',
  'CHECKPOINT_CLOSED',
])

/** For how long a preview can be decided. */
const previewMs = 15 * 60_000

const frozenSet = z.strictObject({
  tenantId,
  principalId,
  expiresAt: z.int(),
  checkpointIds: z.array(checkpointId),
})

type Preview = Extract<CheckpointBulkResult, { kind: 'preview' }>
type Decided = Extract<CheckpointBulkResult, { kind: 'decided' }>

/** A caller as one who answers: whether his key has the scope, or he must have borrowed the right. */
export const approverOf = ({ principalId, scopes }: Caller): Approver => ({
  principalId,
  mayApprove: scopes.includes('checkpoint:approve'),
})

/** What a decision about these checkpoints would mean, with the token that names exactly them. */
export function previewDecisions(
  { linkKeys, clock }: Pick<ApiParts, 'linkKeys' | 'clock'>,
  caller: Caller,
  { checkpoints, estimate }: { checkpoints: { id: CheckpointId }[]; estimate: Preview['estimate'] },
): Preview {
  const expiresAt = clock.now().getTime() + previewMs
  const checkpointIds = checkpoints.map(({ id }) => id)
  const { tenantId: tenant, principalId: principal } = caller
  const frozen = { tenantId: tenant, principalId: principal, expiresAt, checkpointIds }
  return {
    kind: 'preview',
    count: checkpointIds.length,
    estimate,
    checkpointIds,
    token: signToken(linkKeys, 'checkpoint preview', frozen),
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

/**
 * Answers the checkpoints of a preview, each by itself: what cannot be answered any more is refused and
 * recorded, and the others are decided all the same. Throws INPUT_INVALID for a token that is none, is
 * somebody else's, or is too old.
 */
export async function decidePreviewed(
  { db, linkKeys, clock }: Pick<ApiParts, 'db' | 'linkKeys' | 'clock'>,
  caller: Caller,
  token: string,
  answer: Pick<Answer, 'decision' | 'reason'>,
): Promise<Decided> {
  const frozen = readToken(linkKeys, 'checkpoint preview', frozenSet, token)
  if (frozen?.tenantId !== caller.tenantId || frozen.principalId !== caller.principalId)
    throw refusedToken('must be the token of a preview that was given to the same principal')
  if (frozen.expiresAt <= clock.now().getTime())
    throw refusedToken('is of a preview older than 15 minutes: look at a new one')
  const results: Decided['results'] = []
  for (const id of frozen.checkpointIds)
    try {
      await answerCheckpoint(db, caller.tenantId, approverOf(caller), {
        checkpointId: id,
        ...answer,
      })
      results.push({ id, outcome: answer.decision, code: null, detail: null })
    } catch (error) {
      if (!isAlmanacError(error) || !refusals.has(error.code)) throw error
      results.push({ id, outcome: 'refused', code: error.code, detail: error.message })
    }
  const refused = results.filter(({ outcome }) => outcome === 'refused').length
  return { kind: 'decided', decided: results.length - refused, refused, results }
}

const refusedToken = (message: string) =>
  new AlmanacError('INPUT_INVALID', { issues: [{ field: 'token', message }] })
