import type {
  CheckpointDecision,
  CheckpointId,
  CheckpointState,
  GenerationKind,
  RunId,
  SpecificationId,
  TenantId,
} from '@almanac/domain'
import type { Amount, Reached } from '@almanac/refinement'
import { sql, type Selectable } from 'kysely'
import { z } from 'zod'
import { isoOrNull } from '../nouns/instants.ts'
import { pageFrom, type Page, type PageQuery } from '../nouns/pages.ts'
import type { Trx } from '../pool.ts'
import type { Checkpoints } from '../schema.ts'

/** A checkpoint as people see it. Instants are ISO 8601 in UTC. */
export interface CheckpointView {
  id: CheckpointId
  runId: RunId
  specificationId: SpecificationId
  state: CheckpointState
  generation: number
  kind: GenerationKind
  children: number
  estimate: Amount
  /** The limits of which the generation would reach the ratio. */
  reached: Reached[]
  snapshotHash: string
  requestedBy: string
  requestedAt: string
  expiresAt: string
  remindedAt: string | null
  decision: CheckpointDecision | null
  decidedBy: string | null
  decidedAt: string | null
  reason: string | null
}

export interface CheckpointFilter {
  decided?: boolean | undefined
  state?: CheckpointState | undefined
  runId?: RunId | undefined
  specificationId?: SpecificationId | undefined
  requestedBy?: string | undefined
}

const reachedList = z.array(
  z.object({
    limit: z.enum(['depth', 'children', 'tokens', 'microUsd']),
    after: z.number(),
    allowed: z.number(),
  }),
)

/** Checkpoints of a tenant by filter, newest first. */
export async function listCheckpoints(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor, ...filter }: PageQuery & CheckpointFilter,
): Promise<Page<CheckpointView>> {
  let query = filtered(trx, tenantId, filter).selectAll('c').select('r.specification_id')
  if (cursor) query = query.where('c.id', '<', cursor as CheckpointId)
  const rows = await query
    .orderBy('c.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, viewOf, ({ id }) => id)
}

/** The checkpoint that a row and its run's specification are. */
export const viewOf = (
  row: Selectable<Checkpoints> & { specification_id: SpecificationId },
): CheckpointView => ({
  id: row.id,
  runId: row.run_id,
  specificationId: row.specification_id,
  state: stateOf(row),
  generation: row.generation,
  kind: row.kind,
  children: row.children,
  estimate: { microUsd: row.estimate_micro_usd, tokens: row.estimate_tokens },
  reached: reachedList.parse(JSON.parse(row.reached)),
  snapshotHash: row.snapshot_hash,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  remindedAt: isoOrNull(row.reminded_at),
  decision: row.decision,
  decidedBy: row.decided_by,
  decidedAt: isoOrNull(row.decided_at),
  reason: row.reason,
})

/** One whose time is over has expired, even where nobody has noted it yet. */
function stateOf({ decision, expires_at }: Selectable<Checkpoints>): CheckpointState {
  if (decision !== null) return decision === 'expired' ? 'expired' : 'decided'
  return expires_at <= new Date() ? 'expired' : 'pending'
}

/**
 * What approving all undecided checkpoints of a filter would allow, and which they are, with the hash
 * that each answer must name: the frozen set of a bulk decision. At most 1,000.
 */
export async function previewCheckpoints(
  trx: Trx,
  tenantId: TenantId,
  filter: CheckpointFilter,
): Promise<{ checkpoints: { id: CheckpointId; snapshotHash: string }[]; estimate: Amount }> {
  const rows = await filtered(trx, tenantId, { ...filter, decided: false })
    .select(['c.id', 'c.snapshot_hash', 'c.estimate_micro_usd', 'c.estimate_tokens'])
    .orderBy('c.id')
    .limit(1_000)
    .execute()
  return {
    checkpoints: rows.map(({ id, snapshot_hash: snapshotHash }) => ({ id, snapshotHash })),
    estimate: {
      microUsd: rows.reduce((sum, row) => sum + row.estimate_micro_usd, 0),
      tokens: rows.reduce((sum, row) => sum + row.estimate_tokens, 0),
    },
  }
}

function filtered(
  trx: Trx,
  tenantId: TenantId,
  { decided, state, runId, specificationId, requestedBy }: CheckpointFilter,
) {
  let query = trx
    .selectFrom('checkpoints as c')
    .innerJoin('runs as r', (join) =>
      join.onRef('r.tenant_id', '=', 'c.tenant_id').onRef('r.id', '=', 'c.run_id'),
    )
    .where('c.tenant_id', '=', tenantId)
  if (decided !== undefined) query = query.where('c.decision', decided ? 'is not' : 'is', null)
  if (state) query = query.where(inState[state])
  if (runId) query = query.where('c.run_id', '=', runId)
  if (specificationId) query = query.where('r.specification_id', '=', specificationId)
  if (requestedBy) query = query.where('c.requested_by', '=', requestedBy)
  return query
}

const inState = {
  pending: sql<boolean>`c.decision is null and c.expires_at > now()`,
  decided: sql<boolean>`c.decision is not null and c.decision <> 'expired'`,
  expired: sql<boolean>`(c.decision = 'expired' or c.decision is null and c.expires_at <= now())`,
} satisfies Record<CheckpointState, unknown>
