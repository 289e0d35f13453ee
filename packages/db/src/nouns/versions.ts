import {
  AlmanacError,
  evaluation,
  refinementLimits,
  type DocumentId,
  type Evaluation,
  type RunId,
  type TenantId,
  type VersionId,
  type VersionResource,
} from '@almanac/domain'
import { effectiveScore } from '@almanac/refinement'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { assertRun } from './run-details.ts'

/** A version with what its metrics say of it. */
export interface EvaluatedVersion {
  version: VersionResource
  evaluation: Evaluation
}

/** One version of a document. Throws NOT_FOUND. */
export async function getVersion(
  trx: Trx,
  tenantId: TenantId,
  id: VersionId,
): Promise<EvaluatedVersion> {
  const row = await selectVersions(trx, tenantId).where('id', '=', id).executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `version ${id}` })
  return { version: view(row), evaluation: evaluation.parse(JSON.parse(row.evaluation)) }
}

/** The versions of a run's document, oldest first. Throws NOT_FOUND. */
export async function listVersions(
  trx: Trx,
  tenantId: TenantId,
  run: RunId,
): Promise<VersionResource[]> {
  await assertRun(trx, tenantId, run)
  const rows = await selectVersions(trx, tenantId)
    .where('run_id', '=', run)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map(view)
}

/**
 * The version that this one grew from: its nearest ancestor of an earlier generation; of a first version
 * the last one that an earlier run made of the document. Undefined where there was none. Throws NOT_FOUND.
 */
export async function previous(
  trx: Trx,
  tenantId: TenantId,
  id: VersionId,
): Promise<VersionResource | undefined> {
  const { own, versions } = await family(trx, tenantId, id)
  if (own.parents.length === 0) {
    const before = versions.slice(0, versions.indexOf(own))
    return before.findLast(({ runId }) => runId !== own.runId)
  }
  return ancestorsAmong(versions, own)
    .filter(({ depth }) => depth < own.depth)
    .reduce<VersionResource | undefined>(
      (nearest, one) => (nearest && nearest.depth >= one.depth ? nearest : one),
      undefined,
    )
}

/** What a version was made of, and what that was made of, newest first. Throws NOT_FOUND. */
export async function ancestors(
  trx: Trx,
  tenantId: TenantId,
  id: VersionId,
): Promise<VersionResource[]> {
  const { own, versions } = await family(trx, tenantId, id)
  return ancestorsAmong(versions, own)
}

/** What was made of a version, and what of that, oldest first. Throws NOT_FOUND. */
export async function descendants(
  trx: Trx,
  tenantId: TenantId,
  id: VersionId,
): Promise<VersionResource[]> {
  const { own, versions } = await family(trx, tenantId, id)
  const children = new Map<string, VersionResource[]>()
  for (const version of versions)
    for (const parent of version.parents)
      children.set(parent, [...(children.get(parent) ?? []), version])
  const found = reached(own, (version) => children.get(version.id) ?? [])
  return versions.filter((version) => found.has(version))
}

/**
 * The version of a document that is worth most, by effective score: what the score counts after its
 * generations, each of which costs a share. Only versions that hold: not those of retracted documents, nor
 * those whose content was erased. Equal ones by the lower id. Undefined of an unknown document.
 */
export async function bestKnown(
  trx: Trx,
  tenantId: TenantId,
  document: DocumentId,
): Promise<(VersionResource & { effectiveScore: number }) | undefined> {
  const rows = await selectVersions(trx, tenantId)
    .innerJoin('blobs', (join) =>
      join
        .onRef('blobs.tenant_id', '=', 'versions.tenant_id')
        .onRef('blobs.sha256', '=', 'versions.content_hash'),
    )
    .leftJoin('artifact_sets as sets', (join) =>
      join
        .onRef('sets.tenant_id', '=', 'versions.tenant_id')
        .onRef('sets.run_id', '=', 'versions.run_id'),
    )
    .leftJoin('refinement_roots as roots', (join) =>
      join
        .onRef('roots.tenant_id', '=', 'versions.tenant_id')
        .onRef('roots.run_id', '=', 'versions.run_id'),
    )
    .where('versions.document_id', '=', document)
    .where('blobs.erased_at', 'is', null)
    .where('sets.retracted_at', 'is', null)
    .select(sql<unknown>`(roots.limits::jsonb -> 'decay')`.as('decay'))
    .orderBy('versions.id')
    .execute()
  return rows
    .map((row) => {
      const version = view(row)
      // Without a refinement there are no generations, and the decay counts nothing.
      const decay = refinementLimits.shape.decay.parse(row.decay ?? undefined)
      return { ...version, effectiveScore: effectiveScore(version.score, version.depth, decay) }
    })
    .reduce<(VersionResource & { effectiveScore: number }) | undefined>(
      (best, one) => (best && best.effectiveScore >= one.effectiveScore ? best : one),
      undefined,
    )
}

const selectVersions = (trx: Trx, tenantId: TenantId) =>
  trx.selectFrom('versions').where('versions.tenant_id', '=', tenantId).selectAll('versions')

type Row = Awaited<ReturnType<ReturnType<typeof selectVersions>['executeTakeFirstOrThrow']>>

/** A version, and all of its document, oldest first: no version has relatives elsewhere. */
async function family(
  trx: Trx,
  tenantId: TenantId,
  id: VersionId,
): Promise<{ own: VersionResource; versions: VersionResource[] }> {
  const rows = await selectVersions(trx, tenantId)
    .where('document_id', '=', (query) =>
      query
        .selectFrom('versions as own')
        .select('own.document_id')
        .where('own.tenant_id', '=', tenantId)
        .where('own.id', '=', id),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  const versions = rows.map(view)
  const own = versions.find((version) => version.id === id)
  if (!own) throw new AlmanacError('NOT_FOUND', { what: `version ${id}` })
  return { own, versions }
}

function ancestorsAmong(
  versions: readonly VersionResource[],
  own: VersionResource,
): VersionResource[] {
  const byId = new Map<string, VersionResource>(versions.map((version) => [version.id, version]))
  const found = reached(own, ({ parents }) => parents.flatMap((parent) => byId.get(parent) ?? []))
  return versions.filter((version) => found.has(version)).reverse()
}

/** Everything that is reached from a version, itself left out; each once, whatever the rows say. */
function reached(
  own: VersionResource,
  next: (version: VersionResource) => readonly VersionResource[],
): ReadonlySet<VersionResource> {
  const found = new Set<VersionResource>()
  const todo = [...next(own)]
  for (let version = todo.pop(); version; version = todo.pop()) {
    if (version === own || found.has(version)) continue
    found.add(version)
    todo.push(...next(version))
  }
  return found
}

const view = (row: Row): VersionResource => ({
  id: row.id,
  runId: row.run_id,
  documentId: row.document_id,
  label: row.label,
  parents: row.parents,
  depth: row.depth,
  contentHash: row.content_hash,
  packageHash: row.package_hash,
  score: row.score,
  createdAt: row.created_at.toISOString(),
})
