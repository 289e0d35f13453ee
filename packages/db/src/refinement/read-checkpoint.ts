import {
  AlmanacError,
  refinementLimits,
  type CheckpointId,
  type PrincipalId,
  type RefinementLimits,
  type TenantId,
  type VersionId,
} from '@almanac/domain'
import type { Amount } from '@almanac/refinement'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Trx } from '../pool.ts'
import { viewOf, type CheckpointView } from './list-checkpoints.ts'

/** A checkpoint with all that somebody who decides about it should see. */
export interface CheckpointDetail extends CheckpointView {
  specificationName: string
  /** The version that the generation would grow from. */
  best: { versionId: VersionId; label: string; score: number }
  /** What the root had spent when it asked, and what was left. */
  spent: Amount
  remaining: Amount
  /** The limits now; the hash is of those that it was asked under. */
  limits: RefinementLimits
  limitsHash: string
}

const amount = z.object({ microUsd: z.int(), tokens: z.int() })
const snapshot = z.object({ parentId: z.string(), costSpent: amount, budgetRemaining: amount })

/** One checkpoint of a tenant. Throws NOT_FOUND. */
export async function getCheckpoint(
  trx: Trx,
  tenantId: TenantId,
  id: CheckpointId,
): Promise<CheckpointDetail> {
  const row = await trx
    .selectFrom('checkpoints as c')
    .innerJoin('runs as r', (join) =>
      join.onRef('r.tenant_id', '=', 'c.tenant_id').onRef('r.id', '=', 'c.run_id'),
    )
    .innerJoin('specifications as s', (join) =>
      join.onRef('s.tenant_id', '=', 'r.tenant_id').onRef('s.id', '=', 'r.specification_id'),
    )
    .innerJoin('refinement_roots as o', (join) =>
      join.onRef('o.tenant_id', '=', 'c.tenant_id').onRef('o.run_id', '=', 'c.run_id'),
    )
    .selectAll('c')
    .select(['r.specification_id', 's.name as specification_name', 'o.limits'])
    .where('c.tenant_id', '=', tenantId)
    .where('c.id', '=', id)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `checkpoint ${id}` })
  const { parentId, costSpent, budgetRemaining } = snapshot.parse(JSON.parse(row.snapshot))
  const best = await trx
    .selectFrom('versions')
    .select(['id as versionId', 'label', 'score'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', parentId as VersionId)
    .executeTakeFirstOrThrow()
  return {
    ...viewOf(row),
    specificationName: row.specification_name,
    best,
    spent: costSpent,
    remaining: budgetRemaining,
    limits: refinementLimits.parse(JSON.parse(row.limits)),
    limitsHash: row.limits_hash,
  }
}

/** What a link may do for its principal today: the right to decide, by a key of his or lent to him. */
export interface Standing {
  name: string
  suspended: boolean
  /** Whether a key of his that is valid has checkpoint:approve. */
  mayApprove: boolean
  /** Whether somebody lent him this checkpoint. */
  borrowed: boolean
}

/** How a principal stands to a checkpoint. Throws NOT_FOUND when the tenant has no such principal. */
export async function readStanding(
  trx: Trx,
  tenantId: TenantId,
  checkpointId: CheckpointId,
  principalId: PrincipalId,
): Promise<Standing> {
  const { rows } = await sql<Standing>`select p.name, t.state = 'suspended' as suspended,
      exists (select from keys k where k.tenant_id = p.tenant_id and k.principal_id = p.id
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
        and 'checkpoint:approve' = any (k.scopes)) as "mayApprove",
      exists (select from checkpoint_loans l where l.tenant_id = p.tenant_id
        and l.checkpoint_id = ${checkpointId} and l.principal_id = p.id) as borrowed
    from principals p join tenants t on t.id = p.tenant_id
    where p.tenant_id = ${tenantId} and p.id = ${principalId}`.execute(trx)
  if (!rows[0]) throw new AlmanacError('NOT_FOUND', { what: `principal ${principalId}` })
  return rows[0]
}
