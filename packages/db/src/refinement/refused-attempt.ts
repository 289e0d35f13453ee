import {
  isAlmanacError,
  type CheckpointId,
  type ErrorCode,
  type RunId,
  type TenantId,
} from '@almanac/domain'
import type { RefinementAct } from '@almanac/refinement'
import { sql } from 'kysely'
import { persist } from '../group-calls.ts'
import { recordAct } from '../nouns/acts.ts'
import type { Database } from '../pool.ts'
import { recordRootAct } from './acts.ts'

/** Who tried what, on which checkpoint or run. */
export interface RefusedAttempt {
  attempt: RefinementAct<'refinement.attempt_refused'>['attempt']
  actor: string
  subject: CheckpointId | RunId
}

/** What the rules refuse, as opposed to what went wrong. */
const refusals = new Set<ErrorCode>([
  'NOT_FOUND',
  'SCOPE_MISSING',
  'CHECKPOINT_OWN_REQUEST',
  'CHECKPOINT_CLOSED',
  'STATE_CONFLICT',
  'INPUT_INVALID',
])

/**
 * Records an attempt that the rules have refused, after its transaction was rolled back: as an act of the
 * root, or of the tenant where there is no such root. Any other error is not recorded.
 */
export async function recordRefusedAttempt(
  db: Database,
  tenantId: TenantId,
  { attempt, actor, subject }: RefusedAttempt,
  error: unknown,
): Promise<void> {
  if (!isAlmanacError(error) || !refusals.has(error.code)) return
  const detail = { attempt, because: error.code }
  await persist(() =>
    db.withTenant(tenantId, async (trx) => {
      const { rows } = await sql<{ id: RunId }>`select r.id from runs r
        join refinement_roots o on o.tenant_id = r.tenant_id and o.run_id = r.id
        where r.tenant_id = ${tenantId} and r.id in (select ${subject} union all
          select c.run_id from checkpoints c where c.tenant_id = ${tenantId} and c.id = ${subject})
        for no key update of r`.execute(trx)
      const [root] = rows
      const action = 'refinement.attempt_refused'
      if (root) await recordRootAct(trx, { tenantId, runId: root.id }, actor, action, detail)
      else await recordAct(trx, tenantId, { actor, action, subject, detail })
    }),
  )
}
