import {
  AlmanacError,
  canonicalJson,
  parse,
  refinementLimits,
  type RefinementLimits,
  type RunId,
  type TenantId,
} from '@almanac/domain'
import { limitsHash } from '@almanac/refinement'
import { sql } from 'kysely'
import { persist } from '../group-calls.ts'
import type { Database, Trx } from '../pool.ts'
import { recordRootAct } from './acts.ts'
import type { Approver } from './checkpoints.ts'
import { recordRefusedAttempt } from './refused-attempt.ts'
import type { RootKey } from './root-key.ts'
import { voidCheckpoint } from './settle-root.ts'

export interface LimitsChange {
  runId: RunId
  /** The limits to change, and what they are to be. */
  limits: unknown
  reason: string
}

/**
 * Raises limits of a root that is still going on, with a reason, audited as are refused attempts. What was approved under the
 * old ones is void; a run that waits at a checkpoint is queued, and its stage asks anew. Like an answer it
 * needs checkpoint:approve and another principal than the requester. Throws NOT_FOUND, SCOPE_MISSING,
 * CHECKPOINT_OWN_REQUEST, INPUT_INVALID (out of range, or lower than before), STATE_CONFLICT (over).
 */
export async function raiseLimits(
  db: Database,
  tenantId: TenantId,
  approver: Approver,
  change: LimitsChange,
): Promise<RefinementLimits> {
  try {
    return await persist(() =>
      db.withSystem('refinement', (trx) => raise(trx, tenantId, approver, change)),
    )
  } catch (error) {
    const attempt = {
      attempt: 'raise_limits',
      actor: approver.principalId,
      subject: change.runId,
    } as const
    await recordRefusedAttempt(db, tenantId, attempt, error)
    throw error
  }
}

async function raise(
  trx: Trx,
  tenantId: TenantId,
  { principalId, mayApprove }: Approver,
  { runId, limits: wanted, reason }: LimitsChange,
): Promise<RefinementLimits> {
  const root = await lockedRoot(trx, { tenantId, runId })
  if (!root) throw new AlmanacError('NOT_FOUND', { what: `refinement of ${runId}` })
  if (!mayApprove)
    throw new AlmanacError('SCOPE_MISSING', { needed: 'checkpoint:approve', has: 'no such scope' })
  if (root.requested_by === principalId && !root.allow_self_approval)
    throw new AlmanacError('CHECKPOINT_OWN_REQUEST', { checkpoint: `the limits of ${runId}` })
  if (root.ended_at || !root.going_on)
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'refinement',
      state: 'over',
      allowed: 'going on',
    })
  const before = refinementLimits.parse(JSON.parse(root.limits))
  const changes = parse(refinementLimits.partial(), wanted, 'limits')
  // Only what was named: the defaults of the others are not wishes.
  const named = Object.fromEntries(
    Object.entries(changes).filter(([name]) => Object.hasOwn(Object(wanted), name)),
  )
  const after = parse(refinementLimits, { ...before, ...named }, 'limits')
  refuseLower(before, after)
  await voidCheckpoint(trx, { tenantId, runId }, principalId, 'the limits were raised')
  await trx
    .updateTable('refinement_roots')
    .set({ limits: canonicalJson(after), limits_hash: limitsHash(after) })
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .execute()
  // The ledger refuses by its own row of the root.
  await sql`update budgets set limit_micro_usd = greatest(limit_micro_usd, ${after.microUsd}),
      limit_tokens = greatest(limit_tokens, ${after.tokens}), version = version + 1
    where tenant_id = ${tenantId} and level = 'root' and subject = ${runId}`.execute(trx)
  await recordRootAct(trx, { tenantId, runId }, principalId, 'refinement.limits_changed', {
    limits: after,
    limitsHash: limitsHash(after),
    reason,
  })
  return after
}

interface LockedRoot {
  limits: string
  requested_by: string
  ended_at: Date | null
  going_on: boolean
  allow_self_approval: boolean
}

async function lockedRoot(trx: Trx, { tenantId, runId }: RootKey): Promise<LockedRoot | undefined> {
  await sql`select from runs where tenant_id = ${tenantId} and id = ${runId} for no key update`.execute(
    trx,
  )
  const { rows } = await sql<LockedRoot>`select r.limits, r.requested_by, r.ended_at,
      u.next_stage = 'refine' and u.state in ('queued', 'running', 'parked') as going_on,
      t.allow_self_approval
    from refinement_roots r join runs u on u.tenant_id = r.tenant_id and u.id = r.run_id
    join tenants t on t.id = r.tenant_id
    where r.tenant_id = ${tenantId} and r.run_id = ${runId}`.execute(trx)
  return rows[0]
}

const raisable = [
  'maxDepth',
  'maxChildren',
  'microUsd',
  'tokens',
  'checkpointExpiryMinutes',
] as const

function refuseLower(before: RefinementLimits, after: RefinementLimits): void {
  const issues = raisable
    .filter((name) => after[name] < before[name])
    .map((name) => ({
      field: `limits.${name}`,
      message: `must be at least ${before[name]}, which it is now`,
      value: String(after[name]),
    }))
  const fixed = (['checkpointRatio', 'decay', 'variants'] as const)
    .filter((name) => after[name] !== before[name])
    .map((name) => ({
      field: `limits.${name}`,
      message: `cannot be changed while the refinement goes on; it is ${before[name]}`,
      value: String(after[name]),
    }))
  if (issues.length + fixed.length > 0)
    throw new AlmanacError('INPUT_INVALID', { issues: [...issues, ...fixed] })
}
