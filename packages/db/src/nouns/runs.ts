import {
  AlmanacError,
  errorEntry,
  isErrorCode,
  metadata as metadataSchema,
  origin as originSchema,
  parkReasons,
  type RunId,
  type RunResource,
  type RunState,
  type SpecificationId,
  type TenantId,
} from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { recordAct } from './acts.ts'
import { isoOrNull } from './instants.ts'
import { pageFrom, type Page, type PageQuery } from './pages.ts'

export interface RunFilter {
  state?: RunState | undefined
  specificationId?: SpecificationId | undefined
  period?: string | undefined
  externalId?: string | undefined
  test?: boolean | undefined
}

/** One run. Throws NOT_FOUND. */
export async function getRun(trx: Trx, tenantId: TenantId, id: RunId): Promise<RunResource> {
  const row = await selectRuns(trx, tenantId).where('runs.id', '=', id).executeTakeFirst()
  if (!row) throw notFound(id)
  return view(row)
}

export async function listRuns(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor, state, specificationId, period, externalId, test }: PageQuery & RunFilter,
): Promise<Page<RunResource>> {
  let query = selectRuns(trx, tenantId)
  if (state) query = query.where('runs.state', '=', state)
  if (specificationId) query = query.where('runs.specification_id', '=', specificationId)
  if (period !== undefined) query = query.where('runs.period_key', '=', period)
  if (externalId !== undefined) query = query.where('runs.external_id', '=', externalId)
  if (test !== undefined) query = query.where('runs.test', '=', test)
  if (cursor) query = query.where('runs.id', '<', cursor as RunId)
  const rows = await query
    .orderBy('runs.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, view, ({ id }) => id)
}

/** Which of the runs are over; for those who wait for many at once. */
export async function endedRuns(
  trx: Trx,
  tenantId: TenantId,
  ids: readonly RunId[],
): Promise<RunId[]> {
  if (ids.length === 0) return []
  const rows = await trx
    .selectFrom('runs')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ids)
    .where('state', 'in', ['succeeded', 'failed', 'blocked', 'cancelled'])
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * Cancels: a queued or parked run at once, a running one as soon as its call is aborted; its slot
 * becomes free. Cancelling it again changes nothing. Throws STATE_CONFLICT, NOT_FOUND.
 */
export async function cancelRun(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: RunId,
): Promise<RunResource> {
  const run = await lockRun(trx, tenantId, id)
  if (run.state === 'cancelling' || run.state === 'cancelled') return getRun(trx, tenantId, id)
  const at = { tenantId, id, seq: run.event_seq + 1, actor }
  if (run.state === 'running') await move(trx, at, 'cancelling')
  else if (run.state === 'queued' || run.state === 'parked') {
    await move(trx, at, 'cancelled')
    await sql`select free_slot(${tenantId}, ${id}, 'cancelled')`.execute(trx)
  } else
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'run',
      state: run.state,
      allowed: 'queued, running or parked',
    })
  await recordAct(trx, tenantId, { actor, action: 'run.cancelled', subject: id })
  return getRun(trx, tenantId, id)
}

/** The state of a run that is about to be changed, under its lock. Throws NOT_FOUND. */
async function lockRun(trx: Trx, tenantId: TenantId, id: RunId) {
  const run = await trx
    .selectFrom('runs')
    .select(['state', 'event_seq'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!run) throw notFound(id)
  return run
}

/** A cancelling run has a new epoch, so that nothing its worker still commits counts. */
async function move(
  trx: Trx,
  { tenantId, id, seq, actor }: { tenantId: TenantId; id: RunId; seq: number; actor: string },
  to: 'cancelling' | 'cancelled',
): Promise<void> {
  await trx
    .updateTable('runs')
    .set({
      state: to,
      cancelled_by: actor,
      event_seq: seq,
      park_reason: null,
      wake_at: null,
      epoch: sql`epoch + 1`,
      finished_at: to === 'cancelled' ? sql`now()` : null,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  await trx
    .insertInto('run_events')
    .values({
      tenant_id: tenantId,
      run_id: id,
      seq,
      type: `run.${to}`,
      data: JSON.stringify({ by: actor }),
    })
    .execute()
}

/**
 * Marks a success as wrong: its artifacts stay and say so, and its period has no current document.
 * Throws STATE_CONFLICT (not a success, or retracted before), NOT_FOUND.
 */
export async function retractRun(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: RunId,
  reason: string,
): Promise<RunResource> {
  const run = await lockRun(trx, tenantId, id)
  const retracted = await trx
    .updateTable('artifact_sets')
    .set({
      current: false,
      retracted_at: sql`now()`,
      retracted_by: actor,
      retracted_because: reason,
    })
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .where('retracted_at', 'is', null)
    .returning('run_id')
    .executeTakeFirst()
  if (!retracted)
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'run',
      state: run.state === 'succeeded' ? 'retracted' : run.state,
      allowed: 'succeeded',
    })
  await trx
    .updateTable('runs')
    .set({ event_seq: run.event_seq + 1 })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  await trx
    .insertInto('run_events')
    .values({
      tenant_id: tenantId,
      run_id: id,
      seq: run.event_seq + 1,
      type: 'run.retracted',
      data: JSON.stringify({ by: actor, reason }),
    })
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'run.retracted',
    subject: id,
    detail: { reason },
  })
  return getRun(trx, tenantId, id)
}

const selectRuns = (trx: Trx, tenantId: TenantId) =>
  trx
    .selectFrom('runs')
    .leftJoin('artifact_sets as sets', (join) =>
      join.onRef('sets.tenant_id', '=', 'runs.tenant_id').onRef('sets.run_id', '=', 'runs.id'),
    )
    .where('runs.tenant_id', '=', tenantId)
    .selectAll('runs')
    .select([
      'sets.current',
      'sets.retracted_at',
      // Not joined: a plan made while there were few of them would begin with all of the tenant's.
      ({ selectFrom }) =>
        selectFrom('specifications')
          .whereRef('specifications.tenant_id', '=', 'runs.tenant_id')
          .whereRef('specifications.id', '=', 'runs.specification_id')
          .select('specifications.name')
          .$asScalar()
          .$notNull()
          .as('specification_name'),
      ({ selectFrom }) =>
        selectFrom('engine_calls')
          .whereRef('engine_calls.tenant_id', '=', 'runs.tenant_id')
          .whereRef('engine_calls.run_id', '=', 'runs.id')
          .select(({ fn }) =>
            fn.coalesce(fn.sum<number>('cost_micro_usd'), sql<number>`0`).as('sum'),
          )
          .as('cost'),
    ])

type Row = Awaited<ReturnType<ReturnType<typeof selectRuns>['executeTakeFirstOrThrow']>>

const view = (row: Row): RunResource => ({
  id: row.id,
  specificationId: row.specification_id,
  specificationName: row.specification_name,
  revision: row.revision,
  state: row.state,
  stage: row.next_stage,
  trigger: row.trigger,
  test: row.test,
  narrowed: row.narrow !== null,
  periodKey: row.period_key,
  ordinal: row.ordinal,
  onConflict: row.on_conflict,
  origin: row.origin === null ? null : originSchema.parse(row.origin),
  metadata: metadataSchema.parse(row.metadata),
  externalId: row.external_id,
  parked:
    row.park_reason && row.wake_at
      ? {
          reason: row.park_reason,
          says: parkReasons[row.park_reason].says,
          wakeAt: row.wake_at.toISOString(),
        }
      : null,
  error: errorOf(row),
  documentId: row.document_id,
  score: row.score,
  costMicroUsd: Number(row.cost ?? 0),
  standing: standingOf(row),
  deadlineAt: isoOrNull(row.deadline_at),
  createdAt: row.created_at.toISOString(),
  startedAt: isoOrNull(row.started_at),
  finishedAt: isoOrNull(row.finished_at),
})

/** Whether a success still counts: one standing for runs and for their artifacts. */
export function standingOf({
  test,
  current,
  retracted_at,
}: {
  test: boolean
  current: boolean | null
  retracted_at: Date | null
}): RunResource['standing'] {
  if (current === null) return null
  if (test) return 'test'
  if (retracted_at) return 'retracted'
  return current ? 'current' : 'superseded'
}

function errorOf({ error_code, error_detail }: Row): RunResource['error'] {
  if (!error_code || !isErrorCode(error_code)) return null
  const { title, remedy, retryable } = errorEntry(error_code)
  return { code: error_code, title, detail: error_detail ?? title, remedy, retryable }
}

const notFound = (id: RunId) => new AlmanacError('NOT_FOUND', { what: `run ${id}` })
