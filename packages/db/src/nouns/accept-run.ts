import {
  AlmanacError,
  narrowScope,
  scopeOf,
  unentitled,
  type Origin,
  type RunId,
  type RunRequest,
  type Specification,
  type SpecificationId,
  type TenantId,
  type Trigger,
} from '@almanac/domain'
import { nextEligible, periodFor } from '@almanac/domain/cadence'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { parseBody } from '../specification-body.ts'
import { parseEntitlement } from './tenants.ts'

/** A run that was accepted, or the existing one that `return_existing` asked for. */
export interface Accepted {
  runId: RunId
  existing: boolean
}

/**
 * Takes a request for a run: says at once what the stages would say (not active, not entitled, period
 * taken), and inserts the run as queued. The stages check again; they are the authority.
 * Throws NOT_FOUND, SPEC_NOT_ACTIVE, SCOPE_*, QUOTA_EXHAUSTED, CADENCE_*.
 */
export async function acceptRun(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  request: RunRequest,
  now: Date,
): Promise<Accepted> {
  const { revision, state, body, bought } = await newestRevision(
    trx,
    tenantId,
    request.specificationId,
  )
  if (state !== 'active' && !(request.test && state === 'draft'))
    throw new AlmanacError('SPEC_NOT_ACTIVE', { name: body.name, state })
  const missing = unentitled(body, bought)
  if (missing.length > 0) throw new AlmanacError('SCOPE_NOT_ENTITLED', { missing })
  narrowScope(scopeOf(body), request.narrow)
  if (body.cadence === 'on_demand' && !request.test)
    await assertOnDemandLeft(trx, tenantId, bought.onDemandRunsPerMonth, now)

  const { periodKey } = periodFor(body, {
    period: request.period ?? null,
    createdAt: now.toISOString(),
    lookBackDays: 1,
    now,
  })
  const needsSlot = periodKey !== null && !request.test
  const place = needsSlot
    ? await findPlace(trx, tenantId, request, body, periodKey)
    : { ordinal: 0 }
  if ('existing' in place) return { runId: place.existing, existing: true }
  const runId = await insertRun(trx, tenantId, actor, {
    specificationId: request.specificationId,
    revision,
    body,
    trigger: request.trigger,
    request,
    periodKey,
    ordinal: place.ordinal,
    origin: null,
    now,
  })
  return { runId, existing: false }
}

/**
 * A retry (same package) or rerun (from a stage on) as a new run of the same revision and period.
 * Throws STATE_CONFLICT, CADENCE_SLOT_TAKEN, CADENCE_IN_PROGRESS, NOT_FOUND.
 */
export async function acceptRerun(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  runId: RunId,
  how: { trigger: 'retry' | 'rerun'; fromStage: Origin['fromStage']; grant?: number | undefined },
  now: Date,
): Promise<RunId> {
  const run = await trx
    .selectFrom('runs')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .executeTakeFirst()
  if (!run) throw new AlmanacError('NOT_FOUND', { what: `run ${runId}` })
  const afterSuccess = run.state === 'succeeded' && how.trigger === 'rerun'
  const mayStart = ['failed', 'blocked', 'cancelled'].includes(run.state) || afterSuccess
  if (!mayStart)
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'run',
      state: run.state,
      allowed: how.trigger === 'retry' ? 'failed, blocked or cancelled' : 'over',
    })
  const { body } = await revisionOf(trx, tenantId, run.specification_id, run.revision)
  const request = {
    specificationId: run.specification_id,
    onConflict: 'refuse',
    test: run.test,
    grant: how.grant,
  } as const
  const periodKey = run.period_key ?? run.period
  const place =
    periodKey !== null && !run.test
      ? await findPlace(trx, tenantId, request, body, periodKey)
      : { ordinal: 0 }
  if ('existing' in place) throw new Error('a rerun never returns an existing run')
  return insertRun(trx, tenantId, actor, {
    specificationId: run.specification_id,
    revision: run.revision,
    body,
    trigger: how.trigger,
    request: {
      period: periodKey ?? undefined,
      narrow: (run.narrow ?? undefined) as RunRequest['narrow'],
      onConflict: 'refuse',
      test: run.test,
      fresh: how.trigger === 'rerun',
      metadata: run.metadata as RunRequest['metadata'],
      externalId: run.external_id ?? undefined,
    },
    periodKey,
    ordinal: place.ordinal,
    origin: {
      runId,
      fromStage: how.fromStage,
      ...(afterSuccess ? { supersedes: runId } : {}),
      ...(place.ordinal > 0 ? { grant: place.ordinal } : {}),
    },
    now,
  })
}

/**
 * The ordinal that a run of the period can use: the plan's, or a granted one that is free. A taken
 * period refuses; one in progress refuses, answers its run, or (`wait`) takes the run to wait.
 */
async function findPlace(
  trx: Trx,
  tenantId: TenantId,
  request: Pick<RunRequest, 'specificationId' | 'onConflict'> & { grant?: number | undefined },
  body: Specification,
  periodKey: string,
): Promise<{ ordinal: number } | { existing: RunId }> {
  const slots = await trx
    .selectFrom('slots')
    .select(['ordinal', 'state', 'run_id'])
    .where('tenant_id', '=', tenantId)
    .where('specification_id', '=', request.specificationId)
    .where('period_key', '=', periodKey)
    .orderBy('ordinal')
    .execute()
  if (slots.length === 0) return { ordinal: 0 }
  const wanted =
    request.grant === undefined ? slots : slots.filter((s) => s.ordinal === request.grant)
  const open = wanted.find(({ state }) => state !== 'consumed' && state !== 'reserved')
  if (open) return { ordinal: open.ordinal }
  const because = (run: RunId | null | undefined) => ({
    periodKey,
    run: run ?? 'an earlier run',
    nextEligibleAt: nextEligible(body, periodKey),
    timeZone: body.timeZone,
  })
  const held = wanted.find(({ state }) => state === 'reserved')
  if (!held) {
    const taker = wanted.at(-1)?.run_id ?? slots.at(-1)?.run_id
    if (request.onConflict === 'return_existing' && taker) return { existing: taker }
    throw new AlmanacError('CADENCE_SLOT_TAKEN', because(taker))
  }
  if (request.onConflict === 'return_existing' && held.run_id) return { existing: held.run_id }
  if (request.onConflict === 'refuse')
    throw new AlmanacError('CADENCE_IN_PROGRESS', because(held.run_id))
  return { ordinal: held.ordinal }
}

interface NewRun {
  specificationId: SpecificationId
  revision: number
  body: Specification
  trigger: Trigger
  request: Omit<RunRequest, 'specificationId' | 'trigger'>
  periodKey: string | null
  ordinal: number
  origin: Origin | null
  now: Date
}

async function insertRun(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  { specificationId, revision, body, trigger, request, periodKey, ordinal, origin, now }: NewRun,
): Promise<RunId> {
  const id = newId('run', now.getTime())
  await trx
    .with('accepted', (with_) =>
      with_
        .insertInto('runs')
        .values({
          tenant_id: tenantId,
          id,
          specification_id: specificationId,
          revision,
          state: 'queued',
          trigger,
          lane: body.lane,
          test: request.test,
          fresh: request.fresh,
          narrow: request.narrow ? JSON.stringify(request.narrow) : null,
          period: request.period ?? null,
          // A test takes no period, so it must not look like one that does.
          period_key: request.test ? null : periodKey,
          ordinal,
          on_conflict: request.onConflict,
          origin: origin && JSON.stringify(origin),
          metadata: JSON.stringify(request.metadata),
          external_id: request.externalId ?? null,
          deadline_at: new Date(now.getTime() + body.deadlineMinutes * 60_000),
          requested_by: actor,
          event_seq: 1,
          created_at: now,
        })
        .returning('id'),
    )
    .insertInto('run_events')
    .values({
      tenant_id: tenantId,
      run_id: id,
      seq: 1,
      type: 'run.queued',
      data: JSON.stringify({ stage: 'retrieve' }),
      at: now,
    })
    .execute()
  return id
}

/** The specification as it stands now, and what its tenant has bought. Throws NOT_FOUND. */
async function newestRevision(trx: Trx, tenantId: TenantId, id: SpecificationId) {
  const row = await trx
    .selectFrom('specifications as s')
    .innerJoin('specification_revisions as v', (join) =>
      join
        .onRef('v.tenant_id', '=', 's.tenant_id')
        .onRef('v.specification_id', '=', 's.id')
        .onRef('v.revision', '=', 's.revision'),
    )
    .leftJoin('entitlements as e', 'e.tenant_id', 's.tenant_id')
    .select(['s.state', 's.revision', 'v.body', 'v.hash', 'e.body as entitlement'])
    .where('s.tenant_id', '=', tenantId)
    .where('s.id', '=', id)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `specification ${id}` })
  const { state, revision, hash } = row
  return {
    state,
    revision,
    body: parseBody(hash, row.body),
    bought: parseEntitlement(row.entitlement),
  }
}

async function revisionOf(trx: Trx, tenantId: TenantId, id: SpecificationId, revision: number) {
  const row = await trx
    .selectFrom('specification_revisions')
    .select(['body', 'hash'])
    .where('tenant_id', '=', tenantId)
    .where('specification_id', '=', id)
    .where('revision', '=', revision)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `revision ${revision} of ${id}` })
  return { body: parseBody(row.hash, row.body) }
}

/** Counts this month's on-demand runs (UTC), tests and blocked ones aside. */
async function assertOnDemandLeft(
  trx: Trx,
  tenantId: TenantId,
  limit: number,
  now: Date,
): Promise<void> {
  // Two requests at once are counted one after the other.
  await sql`select pg_advisory_xact_lock(hashtext(${`almanac.on_demand.${tenantId}`}))`.execute(trx)
  const { used } = await trx
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number>().as('used'))
    .where('tenant_id', '=', tenantId)
    .where('period_key', 'is', null)
    .where('test', '=', false)
    .where('state', 'not in', ['blocked', 'cancelled'])
    .where('created_at', '>=', new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())))
    .executeTakeFirstOrThrow()
  if (Number(used) >= limit)
    throw new AlmanacError('QUOTA_EXHAUSTED', { what: 'on-demand runs a month', limit })
}
