import {
  AlmanacError,
  mediaTypeOf,
  type ArtifactId,
  type ArtifactResource,
  type RunId,
  type SpecificationId,
  type TenantId,
} from '@almanac/domain'
import type { Trx } from '../pool.ts'
import { pageFrom, type Page, type PageQuery } from './pages.ts'
import { assertRun } from './run-details.ts'
import { standingOf } from './runs.ts'

export interface ArtifactFilter {
  specificationId?: SpecificationId | undefined
  period?: string | undefined
  format?: string | undefined
}

/** One artifact's row; its bytes are content, found by `sha256`. Throws NOT_FOUND. */
export async function getArtifact(
  trx: Trx,
  tenantId: TenantId,
  id: ArtifactId,
): Promise<ArtifactResource> {
  const row = await selectArtifacts(trx, tenantId).where('artifacts.id', '=', id).executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `artifact ${id}` })
  return view(row)
}

/** The artifacts of a run, one a format. Throws NOT_FOUND. */
export async function listRunArtifacts(
  trx: Trx,
  tenantId: TenantId,
  run: RunId,
): Promise<ArtifactResource[]> {
  await assertRun(trx, tenantId, run)
  const rows = await selectArtifacts(trx, tenantId)
    .where('artifacts.run_id', '=', run)
    .orderBy('artifacts.id')
    .execute()
  return rows.map(view)
}

export async function listArtifacts(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor, specificationId, period, format }: PageQuery & ArtifactFilter,
): Promise<Page<ArtifactResource>> {
  let query = selectArtifacts(trx, tenantId)
  if (specificationId) query = query.where('artifacts.specification_id', '=', specificationId)
  if (period !== undefined) query = query.where('artifacts.period_key', '=', period)
  if (format) query = query.where('artifacts.format', '=', format)
  if (cursor) query = query.where('artifacts.id', '<', cursor as ArtifactId)
  const rows = await query
    .orderBy('artifacts.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, view, ({ id }) => id)
}

const selectArtifacts = (trx: Trx, tenantId: TenantId) =>
  trx
    .selectFrom('artifacts')
    .innerJoin('artifact_sets as sets', (join) =>
      join
        .onRef('sets.tenant_id', '=', 'artifacts.tenant_id')
        .onRef('sets.run_id', '=', 'artifacts.run_id'),
    )
    .where('artifacts.tenant_id', '=', tenantId)
    .selectAll('artifacts')
    .select(['sets.current', 'sets.retracted_at'])

type Row = Awaited<ReturnType<ReturnType<typeof selectArtifacts>['executeTakeFirstOrThrow']>>

const view = (row: Row): ArtifactResource => ({
  id: row.id,
  runId: row.run_id,
  specificationId: row.specification_id,
  periodKey: row.period_key,
  format: row.format,
  mediaType: mediaTypeOf(row.format),
  sha256: row.sha256,
  bytes: row.bytes,
  classification: row.classification,
  test: row.test,
  score: row.score,
  standing: standingOf(row) ?? 'superseded',
  createdAt: row.created_at.toISOString(),
})
