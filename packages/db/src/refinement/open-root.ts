import { canonicalJson, type DocumentId, type RefinementLimits } from '@almanac/domain'
import type { NewStoredVersion } from '@almanac/pipeline'
import { limitsHash, type CheckpointPolicy } from '@almanac/refinement'
import { sql } from 'kysely'
import { isoOrNull } from '../nouns/instants.ts'
import type { Database } from '../pool.ts'
import { recordRootAct } from './acts.ts'
import type { RootClaim } from './root-key.ts'

export interface RootOpening {
  documentId: DocumentId
  limits: RefinementLimits
  policy: CheckpointPolicy
  draft: NewStoredVersion
}

/**
 * Makes a run the root of a refinement and stores its draft's version, once: asking again changes
 * nothing. `stale` when the run is not the caller's any more.
 */
export async function openRoot(
  db: Database,
  claim: RootClaim,
  { documentId, limits, policy, draft }: RootOpening,
): Promise<'opened' | 'known' | 'stale'> {
  const { tenantId, runId, epoch } = claim
  return db.withSystem('refinement', async (trx) => {
    const run = await trx
      .selectFrom('runs')
      .select(['requested_by', 'deadline_at'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', runId)
      .where('state', '=', 'running')
      .where('next_stage', '=', 'refine')
      .where('epoch', '=', epoch)
      .forNoKeyUpdate()
      .executeTakeFirst()
    if (!run) return 'stale'
    const known = await trx
      .selectFrom('refinement_roots')
      .select('run_id')
      .where('tenant_id', '=', tenantId)
      .where('run_id', '=', runId)
      .executeTakeFirst()
    if (known) return 'known'
    const tenant = await trx
      .selectFrom('tenants')
      .select('allow_self_approval')
      .where('id', '=', tenantId)
      .executeTakeFirstOrThrow()
    const budget = await trx
      .selectFrom('budgets')
      .select(['spent_micro_usd', 'spent_tokens'])
      .where('tenant_id', '=', tenantId)
      .where('level', '=', 'root')
      .where('subject', '=', runId)
      .executeTakeFirst()
    const { id, label, contentHash, packageHash, score, evaluation } = draft
    await trx
      .insertInto('versions')
      .values({
        tenant_id: tenantId,
        id,
        run_id: runId,
        document_id: documentId,
        label,
        content_hash: contentHash,
        package_hash: packageHash,
        score,
        evaluation,
      })
      .execute()
    const best = { id, score, depth: 0 }
    const hash = limitsHash(limits)
    await trx
      .insertInto('refinement_roots')
      .values({
        tenant_id: tenantId,
        run_id: runId,
        document_id: documentId,
        package_hash: packageHash,
        limits: canonicalJson(limits),
        limits_hash: hash,
        policy: canonicalJson(policy),
        requested_by: run.requested_by,
        self_approval: tenant.allow_self_approval,
        bests: canonicalJson([best]),
      })
      .execute()
    // What the root may spend is the ledger's to refuse; the guard only asks before.
    await sql`update budgets set limit_micro_usd = coalesce(limit_micro_usd, ${limits.microUsd}),
        limit_tokens = coalesce(limit_tokens, ${limits.tokens})
      where tenant_id = ${tenantId} and level = 'root' and subject = ${runId}`.execute(trx)
    await recordRootAct(trx, claim, 'system', 'refinement.started', {
      limits,
      limitsHash: hash,
      policy,
      requestedBy: run.requested_by,
      selfApproval: tenant.allow_self_approval,
      draft: best,
      spent: { microUsd: budget?.spent_micro_usd ?? 0, tokens: budget?.spent_tokens ?? 0 },
      deadlineAt: isoOrNull(run.deadline_at),
    })
    return 'opened'
  })
}
