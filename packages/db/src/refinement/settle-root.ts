import { canonicalJson, type StopReason, type VersionId } from '@almanac/domain'
import { bestAfter, bestOf, type Candidate, type ConditionVerdict } from '@almanac/refinement'
import { AlmanacError } from '@almanac/domain'
import { sql } from 'kysely'
import { persist } from '../group-calls.ts'
import type { NewStoredVersion } from '@almanac/pipeline'
import type { Database, Trx } from '../pool.ts'
import { recordRootAct } from './acts.ts'
import type { RootClaim, RootKey } from './root-key.ts'
import { lockRoot, type StoredRoot } from './stored-root.ts'

/** What the merge of a generation made. An accepted one has a version, with the parents it was made of. */
export type MergeResult =
  | { merge: 'accepted'; version: NewStoredVersion & { parents: VersionId[] } }
  | { merge: 'rejected' | 'none' }

/**
 * Records the merge of a generation, once, and which version goes on: of the one before, the variants
 * that are done, and the merged one, what `bestAfter` says. `duplicate` when this generation was merged
 * before, `stale` when the run is not the caller's any more.
 */
export async function recordMerge(
  db: Database,
  claim: RootClaim,
  generation: number,
  result: MergeResult,
): Promise<'recorded' | 'duplicate' | 'stale'> {
  return persist(() =>
    db.withSystem('refinement', async (trx) => {
      const root = await lockRoot(trx, claim)
      if (!root) return 'stale'
      if (root.generation?.generation !== generation) return 'duplicate'
      await applyMerge(trx, claim, root, root.generation, result)
      return 'recorded'
    }),
  )
}

async function applyMerge(
  trx: Trx,
  claim: RootClaim,
  { lineage, limits, documentId }: StoredRoot,
  { generation, kind, variants }: NonNullable<StoredRoot['generation']>,
  result: MergeResult,
): Promise<void> {
  const { tenantId, runId } = claim
  const version = result.merge === 'accepted' ? result.version : null
  if (version)
    await trx
      .insertInto('versions')
      .values({
        tenant_id: tenantId,
        id: version.id,
        run_id: runId,
        document_id: documentId,
        label: version.label,
        parents: version.parents,
        depth: generation,
        content_hash: version.contentHash,
        package_hash: version.packageHash,
        score: version.score,
        evaluation: version.evaluation,
      })
      .execute()
  const candidate = ({ id, score }: { id: VersionId; score: number }) => ({
    ...{ id, score, depth: generation },
  })
  const made = variants.flatMap((variant) => variant.version ?? []).map(candidate)
  const found = { before: bestOf(lineage), made, merged: version && candidate(version) }
  const best = bestAfter(kind, found, limits.decay)
  await trx
    .updateTable('generations')
    .set({
      merge: result.merge,
      merged_version_id: version?.id ?? null,
      merged_at: sql<Date>`now()`,
    })
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('generation', '=', generation)
    .execute()
  await trx
    .updateTable('refinement_roots')
    .set({ bests: canonicalJson([...lineage.bests, best]) })
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .execute()
  await recordRootAct(trx, claim, 'system', 'refinement.merged', {
    generation,
    merge: result.merge,
    merged: version && { id: version.id, score: version.score, parents: version.parents },
    best,
  })
}

/**
 * Ends a refinement, once: its stop reason, and the version that the run goes on with. Asking again
 * answers the same. Undefined when the run is not the caller's any more.
 */
export async function endRoot(
  db: Database,
  claim: RootClaim,
  stopReason: StopReason,
  verdicts: readonly ConditionVerdict[] = [],
): Promise<{ stopReason: StopReason; best: Candidate } | undefined> {
  return persist(() =>
    db.withSystem('refinement', async (trx) => {
      const root = await lockRoot(trx, claim)
      if (!root) return undefined
      const best = bestOf(root.lineage)
      if (root.lineage.ended !== null) return { stopReason: root.lineage.ended, best }
      if (root.generation) throw new Error('a generation waits to be merged')
      await trx
        .updateTable('refinement_roots')
        .set({ stop_reason: stopReason, ended_at: sql<Date>`now()` })
        .where('tenant_id', '=', claim.tenantId)
        .where('run_id', '=', claim.runId)
        .execute()
      await recordRootAct(trx, claim, 'system', 'refinement.ended', {
        stopReason,
        best,
        ...(verdicts.length > 0 && { verdicts: [...verdicts] }),
      })
      return { stopReason, best }
    }),
  )
}

/**
 * Makes an earlier version of the root the one that goes on, audited. Only while no generation is under
 * way and the run has not gone on without it. Throws NOT_FOUND, STATE_CONFLICT.
 */
export async function rollBack(
  trx: Trx,
  { tenantId, runId }: RootKey,
  { versionId, actor, reason }: { versionId: VersionId; actor: string; reason: string },
): Promise<void> {
  const run = await trx
    .selectFrom('runs')
    .select(['state', 'next_stage'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  const root = await trx
    .selectFrom('refinement_roots')
    .select(['bests', 'ended_at'])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .executeTakeFirst()
  if (!run || !root) throw new AlmanacError('NOT_FOUND', { what: `refinement of ${runId}` })
  const version = await trx
    .selectFrom('versions')
    .select(['id', 'score', 'depth'])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('id', '=', versionId)
    .executeTakeFirst()
  if (!version) throw new AlmanacError('NOT_FOUND', { what: `version ${versionId} of ${runId}` })
  const open = await trx
    .selectFrom('generations')
    .select('generation')
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('merged_at', 'is', null)
    .executeTakeFirst()
  if (open || root.ended_at || run.next_stage !== 'refine')
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'refinement',
      state: open ? 'at work' : 'over',
      allowed: 'between two generations',
    })
  await voidCheckpoint(trx, { tenantId, runId }, actor, 'rolled back to another version')
  await sql`update refinement_roots set bests = bests - (-1) || ${canonicalJson([version])}::jsonb
    where tenant_id = ${tenantId} and run_id = ${runId}`.execute(trx)
  await recordRootAct(trx, { tenantId, runId }, actor, 'refinement.rolled_back', {
    best: version,
    reason,
  })
}

/** Voids the checkpoint that a run waits at, if any, and queues the run: its stage asks anew. */
export async function voidCheckpoint(
  trx: Trx,
  { tenantId, runId }: RootKey,
  actor: string,
  because: string,
): Promise<void> {
  const waiting = await trx
    .selectFrom('checkpoints')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('decision', 'is', null)
    .executeTakeFirst()
  if (!waiting) return
  await sql`select decide_checkpoint(${tenantId}, ${waiting.id}, 'voided', ${actor}, ${because}),
    queue_parked_run(${tenantId}, ${runId}, 'checkpoint_voided')`.execute(trx)
}
