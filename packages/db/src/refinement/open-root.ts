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
    // In a statement after that of the lock: only then does it see who had the lock before.
    const { rows } = await sql<Known>`select o.run_id is not null as known,
        t.allow_self_approval as "selfApproval", coalesce(b.spent_micro_usd, 0) as "microUsd",
        coalesce(b.spent_tokens, 0) as tokens
      from tenants t
      left join refinement_roots o on o.tenant_id = t.id and o.run_id = ${runId}
      left join budgets b on b.tenant_id = t.id and b.level = 'root' and b.subject = ${runId}
      where t.id = ${tenantId}`.execute(trx)
    const [found] = rows
    if (!found) throw new Error(`there is no tenant ${tenantId}`)
    const { known, selfApproval, ...spent } = found
    if (known) return 'known'
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
        self_approval: selfApproval,
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
      selfApproval,
      draft: best,
      spent,
      deadlineAt: isoOrNull(run.deadline_at),
    })
    return 'opened'
  })
}

/** What there is of a run that is to become a root. */
interface Known {
  known: boolean
  selfApproval: boolean
  microUsd: number
  tokens: number
}
