import {
  answerCheckpoint,
  getCheckpoint,
  lendCheckpoint,
  listCheckpoints,
  previewCheckpoints,
  raiseLimits,
  recordRefusedAttempt,
  rollBack,
  type Caller,
} from '@almanac/db'
import { isAlmanacError, type checkpointRoutes } from '@almanac/domain'
import type { Asked, Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { approverOf, decidePreviewed, previewDecisions } from './checkpoint-decisions.ts'

type Operations = keyof typeof checkpointRoutes

/** The handlers of `/v1/checkpoints`, and of rolling a refinement back. */
export const checkpointHandlers = (
  parts: Pick<ApiParts, 'db' | 'linkKeys' | 'clock' | 'wake'>,
): Handlers<Operations> => {
  const { db, wake } = parts
  return {
    listCheckpoints: async ({ caller: { tenantId }, query }) => ({
      body: await db.withTenant(tenantId, (trx) => listCheckpoints(trx, tenantId, query)),
    }),
    getCheckpoint: async ({ caller: { tenantId }, params: { id } }) => ({
      body: await db.withTenant(tenantId, (trx) => getCheckpoint(trx, tenantId, id)),
    }),
    decideCheckpoint: async (asked) => {
      const { tenantId } = asked.caller
      const { id } = asked.params
      await decide(parts, asked)
      wake()
      return { body: await db.withTenant(tenantId, (trx) => getCheckpoint(trx, tenantId, id)) }
    },
    decideCheckpoints: async ({ caller, body: { filter, token = '', decision, reason = '' } }) => {
      if (filter)
        return {
          body: previewDecisions(
            parts,
            caller,
            await db.withTenant(caller.tenantId, (trx) =>
              previewCheckpoints(trx, caller.tenantId, { ...filter, state: 'pending' }),
            ),
          ),
        }
      const body = await decidePreviewed(parts, caller, token, {
        decision: decision === 'approve' ? 'approved' : 'denied',
        reason,
      })
      wake()
      return { body }
    },
    lendCheckpoint: {
      async change(trx, { caller, params: { id }, body: { principalId } }) {
        const { tenantId } = caller
        const loan = { checkpointId: id, to: principalId }
        await lendCheckpoint(trx, tenantId, approverOf(caller), loan)
        return { body: { checkpointId: id, principalId, lentBy: caller.principalId } }
      },
      refused: ({ caller: { tenantId, principalId: actor }, params: { id: subject } }, error) =>
        recordRefusedAttempt(db, tenantId, { attempt: 'lend', actor, subject }, error),
    },
    rollBackRun: {
      async change(
        trx,
        { caller: { tenantId, principalId }, params, body: { versionId, reason } },
      ) {
        const runId = params.id
        await rollBack(trx, { tenantId, runId }, { versionId, actor: principalId, reason })
        return { body: { runId, versionId } }
      },
      afterwards: (_asked, answer) => {
        wake()
        return Promise.resolve(answer)
      },
      refused: ({ caller: { tenantId, principalId: actor }, params: { id: subject } }, error) =>
        recordRefusedAttempt(db, tenantId, { attempt: 'roll_back', actor, subject }, error),
    },
  }
}

async function decide(
  { db }: Pick<ApiParts, 'db'>,
  { caller, params: { id }, body }: Asked<'decideCheckpoint'>,
): Promise<void> {
  const { tenantId } = caller
  const { limits, reason, snapshotHash } = body
  const waiting = limits && (await pendingRun(db, caller, id, snapshotHash))
  if (limits && waiting) {
    await raiseLimits(db, tenantId, approverOf(caller), { runId: waiting, limits, reason })
    return
  }
  await answerCheckpoint(db, tenantId, approverOf(caller), {
    checkpointId: id,
    decision: body.decision === 'approve' ? 'approved' : 'denied',
    reason,
    snapshotHash,
  })
}

/**
 * The run that waits at the checkpoint as it was looked at. Undefined when an answer would be refused
 * whatever it says: then the answer itself is tried, which records the refusal.
 */
async function pendingRun(
  db: ApiParts['db'],
  { tenantId }: Caller,
  id: Asked<'decideCheckpoint'>['params']['id'],
  snapshotHash: string | undefined,
) {
  try {
    const found = await db.withTenant(tenantId, (trx) => getCheckpoint(trx, tenantId, id))
    const asSeen = snapshotHash === undefined || snapshotHash === found.snapshotHash
    return found.state === 'pending' && asSeen ? found.runId : undefined
  } catch (error) {
    if (isAlmanacError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
