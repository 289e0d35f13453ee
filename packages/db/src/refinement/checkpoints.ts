import {
  AlmanacError,
  type AnswerRefusal,
  type CheckpointDecision,
  type CheckpointId,
  type PrincipalId,
  type RunId,
  type TenantId,
} from '@almanac/domain'
import { sql } from 'kysely'
import { persist } from '../group-calls.ts'
import { recordAct } from '../nouns/acts.ts'
import type { Database, Trx } from '../pool.ts'
import { recordRootAct } from './acts.ts'

/** Who answers or lends: a principal, and whether its key has checkpoint:approve. */
export interface Approver {
  principalId: PrincipalId
  mayApprove: boolean
}

export interface Answer {
  checkpointId: CheckpointId
  decision: 'approved' | 'denied'
  reason: string
  /** The hash of the snapshot that the answer was given to; refused when it has another one. */
  snapshotHash?: string | undefined
}

interface CheckpointFacts {
  run_id: RunId
  requested_by: string
  limits_hash: string
  snapshot_hash: string
  root_limits_hash: string
  expires_at: Date
  expired: boolean
  decision: CheckpointDecision | null
  lent: boolean
}

/**
 * Answers a checkpoint, once, and lets its run go on. An answer that is refused is recorded, and then
 * thrown: NOT_FOUND (unknown, or another tenant's), SCOPE_MISSING, CHECKPOINT_OWN_REQUEST,
 * CHECKPOINT_CLOSED (answered before, expired, or stale).
 */
export async function answerCheckpoint(
  db: Database,
  tenantId: TenantId,
  approver: Approver,
  answer: Answer,
): Promise<{ runId: RunId }> {
  const result = await persist(() =>
    db.withTenant(tenantId, (trx) => tryAnswer(trx, tenantId, approver, answer)),
  )
  if ('error' in result) throw result.error
  return result
}

async function tryAnswer(
  trx: Trx,
  tenantId: TenantId,
  approver: Approver,
  { checkpointId, decision, reason, snapshotHash }: Answer,
): Promise<{ runId: RunId } | { error: AlmanacError }> {
  const { principalId } = approver
  const found = await lockCheckpoint(trx, tenantId, checkpointId, principalId)
  const because = found ? await objection(trx, tenantId, approver, found, snapshotHash) : 'unknown'
  if (found && because === undefined) {
    const { rows } = await sql<{
      done: boolean
    }>`select decide_checkpoint(${tenantId}, ${checkpointId},
      ${decision}, ${principalId}, ${reason}) as done`.execute(trx)
    if (rows[0]?.done) {
      await queueRun(trx, tenantId, found.run_id, decision)
      return { runId: found.run_id }
    }
  }
  // What decides by itself may have come between: then the run waits no longer.
  const why = because ?? 'stale'
  if (found && why === 'expired' && found.decision === null)
    await expire(trx, tenantId, checkpointId, found.run_id)
  const refused = { checkpointId, answer: decision, because: why }
  if (found)
    await recordRootAct(
      trx,
      { tenantId, runId: found.run_id },
      principalId,
      'checkpoint.answer_refused',
      refused,
    )
  else
    await recordAct(trx, tenantId, {
      actor: principalId,
      action: 'checkpoint.answer_refused',
      subject: checkpointId,
      detail: refused,
    })
  return { error: errorOf(why, checkpointId, found) }
}

/** The checkpoint and what an answer depends on, with its run locked; undefined when there is none. */
async function lockCheckpoint(
  trx: Trx,
  tenantId: TenantId,
  checkpointId: CheckpointId,
  principalId: PrincipalId,
): Promise<CheckpointFacts | undefined> {
  await sql`select from runs r join checkpoints c on c.tenant_id = r.tenant_id and c.run_id = r.id
    where c.tenant_id = ${tenantId} and c.id = ${checkpointId} for no key update of r`.execute(trx)
  const { rows } = await sql<CheckpointFacts>`select c.run_id, c.requested_by, c.limits_hash,
      c.snapshot_hash, r.limits_hash as root_limits_hash, c.expires_at,
      c.expires_at <= clock_timestamp() as expired, c.decision,
      exists (select from checkpoint_loans l where l.tenant_id = c.tenant_id and l.checkpoint_id = c.id
        and l.principal_id = ${principalId}) as lent
    from checkpoints c join refinement_roots r on r.tenant_id = c.tenant_id and r.run_id = c.run_id
    where c.tenant_id = ${tenantId} and c.id = ${checkpointId}`.execute(trx)
  return rows[0]
}

async function objection(
  trx: Trx,
  tenantId: TenantId,
  { principalId, mayApprove }: Approver,
  found: CheckpointFacts,
  snapshotHash: string | undefined,
): Promise<AnswerRefusal | undefined> {
  if (!mayApprove && !found.lent) return 'not_allowed'
  if (await isOwnRequest(trx, tenantId, principalId, found.requested_by)) return 'own_request'
  if (found.decision === 'expired') return 'expired'
  if (found.decision === 'voided' || found.decision === 'cancelled') return 'stale'
  if (found.decision !== null) return 'reused'
  if (found.expired) return 'expired'
  if (found.limits_hash !== found.root_limits_hash) return 'stale'
  if (snapshotHash !== undefined && snapshotHash !== found.snapshot_hash) return 'stale'
  return undefined
}

/** Whether a principal would answer what it asked for itself, where the tenant does not allow that. */
async function isOwnRequest(
  trx: Trx,
  tenantId: TenantId,
  principalId: PrincipalId,
  requestedBy: string,
): Promise<boolean> {
  if (principalId !== requestedBy) return false
  const { allow_self_approval: allowed } = await trx
    .selectFrom('tenants')
    .select('allow_self_approval')
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return !allowed
}

function errorOf(
  because: AnswerRefusal,
  checkpoint: CheckpointId,
  found: CheckpointFacts | undefined,
): AlmanacError {
  switch (because) {
    case 'unknown':
      return new AlmanacError('NOT_FOUND', { what: `checkpoint ${checkpoint}` })
    case 'not_allowed':
      return new AlmanacError('SCOPE_MISSING', {
        needed: 'checkpoint:approve',
        has: 'no such scope, and nobody has lent it for this checkpoint',
      })
    case 'own_request':
      return new AlmanacError('CHECKPOINT_OWN_REQUEST', { checkpoint })
    case 'reused':
      return new AlmanacError('CHECKPOINT_CLOSED', {
        checkpoint,
        because: `it was ${found?.decision ?? 'answered'} before`,
      })
    case 'expired':
      return new AlmanacError('CHECKPOINT_CLOSED', {
        checkpoint,
        because: `it expired at ${found?.expires_at.toISOString() ?? 'an earlier instant'}`,
      })
    case 'stale':
      return new AlmanacError('CHECKPOINT_CLOSED', {
        checkpoint,
        because: 'what it was asked for is no longer so',
      })
  }
}

const queueRun = (trx: Trx, tenantId: TenantId, runId: RunId, decision: CheckpointDecision) =>
  sql`select queue_parked_run(${tenantId}, ${runId}, ${`checkpoint_${decision}`})`.execute(trx)

async function expire(
  trx: Trx,
  tenantId: TenantId,
  checkpointId: CheckpointId,
  runId: RunId,
): Promise<boolean> {
  const { rows } = await sql<{
    done: boolean
  }>`select decide_checkpoint(${tenantId}, ${checkpointId},
    'expired', 'system', 'nobody answered in time') as done`.execute(trx)
  if (rows[0]?.done) await queueRun(trx, tenantId, runId, 'expired')
  return rows[0]?.done === true
}

/** Rows that one pass takes; the next pass takes the next ones. */
const batch = 500

/** Checkpoints whose time is over expire, and their runs go on with what they have. Answers how many. */
export async function expireCheckpoints(db: Database): Promise<number> {
  return persist(() =>
    db.withSystem('refinement', async (trx) => {
      const { rows } = await sql<{ tenant_id: TenantId; id: CheckpointId; run_id: RunId }>`
        select c.tenant_id, c.id, c.run_id from checkpoints c
        join runs r on r.tenant_id = c.tenant_id and r.id = c.run_id
        where c.decision is null and c.expires_at <= now()
        order by r.id limit ${batch} for no key update of r skip locked`.execute(trx)
      let expired = 0
      for (const { tenant_id, id, run_id } of rows)
        if (await expire(trx, tenant_id, id, run_id)) expired += 1
      return expired
    }),
  )
}

/** Checkpoints of which half the time is over are told of once more, once. Answers how many. */
export async function remindCheckpoints(db: Database): Promise<number> {
  return persist(() =>
    db.withSystem('refinement', async (trx) => {
      const { rows } = await sql<{ id: string }>`with due as (
          select c.tenant_id, c.id, c.run_id, c.expires_at from checkpoints c
          join runs r on r.tenant_id = c.tenant_id and r.id = c.run_id
          where c.decision is null and c.reminded_at is null and c.expires_at > now()
            and c.requested_at + (c.expires_at - c.requested_at) / 2 <= now()
          order by r.id limit ${batch} for no key update of r skip locked
        ), reminded as (
          update checkpoints c set reminded_at = now() from due d
          where c.tenant_id = d.tenant_id and c.id = d.id and c.decision is null
            and c.reminded_at is null
          returning c.tenant_id, c.id, c.run_id, c.expires_at
        )
        select id, add_run_event(tenant_id, run_id, 'checkpoint.reminded', jsonb_build_object(
          'checkpointId', id, 'expiresAt', instant_text(expires_at))) from reminded`.execute(trx)
      return rows.length
    }),
  )
}

/**
 * Lends the right to answer one checkpoint to another principal of the tenant, audited. Who may not
 * answer it may not lend it either. Throws NOT_FOUND, SCOPE_MISSING, CHECKPOINT_OWN_REQUEST,
 * CHECKPOINT_CLOSED.
 */
export async function lendCheckpoint(
  trx: Trx,
  tenantId: TenantId,
  { principalId, mayApprove }: Approver,
  { checkpointId, to }: { checkpointId: CheckpointId; to: PrincipalId },
): Promise<void> {
  const found = await lockCheckpoint(trx, tenantId, checkpointId, principalId)
  if (!found) throw errorOf('unknown', checkpointId, found)
  if (!mayApprove) throw errorOf('not_allowed', checkpointId, found)
  // A loan of a loan would leave nobody to answer for it.
  const because = await objection(trx, tenantId, { principalId, mayApprove }, found, undefined)
  if (because) throw errorOf(because, checkpointId, found)
  const borrower = await trx
    .selectFrom('principals')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', to)
    .executeTakeFirst()
  if (!borrower) throw new AlmanacError('NOT_FOUND', { what: `principal ${to}` })
  const lent = await trx
    .insertInto('checkpoint_loans')
    .values({
      tenant_id: tenantId,
      checkpoint_id: checkpointId,
      principal_id: to,
      lent_by: principalId,
    })
    .onConflict((oc) => oc.doNothing())
    .returning('principal_id')
    .executeTakeFirst()
  if (lent)
    await recordRootAct(trx, { tenantId, runId: found.run_id }, principalId, 'checkpoint.lent', {
      checkpointId,
      to,
    })
}
