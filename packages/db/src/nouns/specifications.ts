import {
  AlmanacError,
  canonicalJson,
  isPeriodic,
  parse,
  specification as specificationSchema,
  unentitled,
  type Issue,
  type Json,
  type Specification,
  type SpecificationId,
  type SpecificationResource,
  type SpecificationState,
  type TenantId,
} from '@almanac/domain'
import { nextDue } from '@almanac/domain/cadence'
import { sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import { refinementIssues } from '@almanac/refinement'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { recordAct } from './acts.ts'
import { isoOrNull } from './instants.ts'
import { applyMergePatch } from './merge-patch.ts'
import { assertModules } from './modules.ts'
import { pageFrom, type Page, type PageQuery } from './pages.ts'
import { readEntitlement } from './tenants.ts'

/**
 * What is wrong with a body beyond its schema: the catalogue for one, which this package does not know.
 * Takes the body as it would be stored, whatever its form.
 */
export type BodyIssues = (body: unknown) => Issue[]

/** Creates a draft, its first revision, after entitlement. Throws SCOPE_NOT_ENTITLED, NAME_TAKEN, INPUT_INVALID (modules). */
export async function createSpecification(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  body: Specification,
): Promise<SpecificationResource> {
  assertRefinement(body)
  await assertEntitled(trx, tenantId, body)
  await assertModules(trx, tenantId, body)
  await assertExternalIdFree(trx, tenantId, body.externalId)
  const id = newId('specification')
  await trx
    .insertInto('specifications')
    .values({
      tenant_id: tenantId,
      id,
      kind: body.kind,
      name: body.name,
      external_id: body.externalId ?? null,
      created_by: actor,
    })
    .execute()
  await insertRevision(trx, tenantId, actor, id, 1, body)
  await recordAct(trx, tenantId, { actor, action: 'specification.created', subject: id })
  return getSpecification(trx, tenantId, id)
}

/** One specification, with its newest revision or the named one. Throws NOT_FOUND. */
export async function getSpecification(
  trx: Trx,
  tenantId: TenantId,
  id: SpecificationId,
  revision?: number,
): Promise<SpecificationResource> {
  const row = await selectSpecifications(trx, tenantId, revision)
    .where('specifications.id', '=', id)
    .executeTakeFirst()
  if (!row) throw notFound(id)
  return view(row)
}

/** Finds by id, external id or exact name; for people at a command line. */
export async function findSpecification(
  trx: Trx,
  tenantId: TenantId,
  text: string,
): Promise<SpecificationResource | undefined> {
  const rows = await selectSpecifications(trx, tenantId)
    .where((where) =>
      where.or([
        where('specifications.id', '=', text as SpecificationId),
        where('specifications.external_id', '=', text),
        where('specifications.name', '=', text),
      ]),
    )
    .orderBy('specifications.id', 'desc')
    .limit(1)
    .execute()
  return rows[0] && view(rows[0])
}

export async function listSpecifications(
  trx: Trx,
  tenantId: TenantId,
  {
    limit,
    cursor,
    state,
    externalId,
  }: PageQuery & { state?: SpecificationState | undefined; externalId?: string | undefined },
): Promise<Page<SpecificationResource>> {
  let query = selectSpecifications(trx, tenantId)
  if (state) query = query.where('specifications.state', '=', state)
  if (externalId !== undefined) query = query.where('specifications.external_id', '=', externalId)
  if (cursor) query = query.where('specifications.id', '<', cursor as SpecificationId)
  const rows = await query
    .orderBy('specifications.id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, view, ({ id }) => id)
}

/**
 * Applies a JSON merge patch to the newest revision, which must be `ifMatch`, and stores the result
 * as the next one. Runs that exist keep theirs. Throws INPUT_INVALID, REVISION_CONFLICT,
 * SCOPE_NOT_ENTITLED, STATE_CONFLICT (archived), NOT_FOUND.
 */
export async function changeSpecification(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: SpecificationId,
  ifMatch: number,
  patch: Record<string, Json>,
  issuesOf: BodyIssues,
): Promise<SpecificationResource> {
  const current = await lockSpecification(trx, tenantId, id)
  if (current.state === 'archived') throw conflict('archived', 'draft, active or paused')
  if (current.revision !== ifMatch)
    throw new AlmanacError('REVISION_CONFLICT', {
      expected: String(ifMatch),
      current: String(current.revision),
    })
  const patched = applyMergePatch(current.body as Json, patch)
  const body = parse(specificationSchema, patched, '', issuesOf(patched))
  if (body.kind !== current.body.kind)
    throw new AlmanacError('INPUT_INVALID', {
      issues: [{ field: 'kind', message: `must stay ${current.body.kind}`, value: body.kind }],
    })
  assertRefinement(body)
  await assertEntitled(trx, tenantId, body)
  await assertModules(trx, tenantId, body)
  if (body.externalId !== current.body.externalId)
    await assertExternalIdFree(trx, tenantId, body.externalId)
  const revision = current.revision + 1
  await insertRevision(trx, tenantId, actor, id, revision, body)
  const dueAt =
    current.state === 'active' ? await nextDueAt(trx, tenantId, id, body, new Date()) : null
  await trx
    .updateTable('specifications')
    .set({
      revision,
      name: body.name,
      external_id: body.externalId ?? null,
      next_due_at: dueAt,
      updated_at: sql`now()`,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'specification.revised',
    subject: id,
    detail: { revision },
  })
  return getSpecification(trx, tenantId, id)
}

/** Activates; throws SCOPE_NOT_ENTITLED, QUOTA_EXHAUSTED, STATE_CONFLICT, NOT_FOUND. */
export async function activateSpecification(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: SpecificationId,
): Promise<SpecificationResource> {
  const current = await lockSpecification(trx, tenantId, id)
  if (current.state === 'active') return current
  if (current.state === 'archived') throw conflict('archived', 'draft or paused')
  const { activeSpecifications } = await assertEntitled(trx, tenantId, current.body)
  // Two activations at once are counted one after the other.
  await sql`select pg_advisory_xact_lock(hashtext(${`almanac.activate.${tenantId}`}))`.execute(trx)
  const { active } = await trx
    .selectFrom('specifications')
    .select(({ fn }) => fn.countAll<number>().as('active'))
    .where('tenant_id', '=', tenantId)
    .where('state', '=', 'active')
    .executeTakeFirstOrThrow()
  if (Number(active) >= activeSpecifications)
    throw new AlmanacError('QUOTA_EXHAUSTED', {
      what: 'active specifications',
      limit: activeSpecifications,
    })
  const now = new Date()
  await trx
    .updateTable('specifications')
    .set({
      state: 'active',
      activated_by: actor,
      activated_at: now,
      paused_because: null,
      next_due_at: await nextDueAt(trx, tenantId, id, current.body, now),
      updated_at: now,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'specification.activated',
    subject: id,
    detail: { revision: current.revision },
  })
  return getSpecification(trx, tenantId, id)
}

/** Pauses or archives. Throws STATE_CONFLICT, NOT_FOUND. */
export async function stopSpecification(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: SpecificationId,
  to: 'paused' | 'archived',
  reason: string,
): Promise<SpecificationResource> {
  const current = await lockSpecification(trx, tenantId, id)
  if (current.state === to) return current
  if (current.state === 'archived') throw conflict('archived', 'draft, active or paused')
  if (to === 'paused' && current.state !== 'active') throw conflict(current.state, 'active')
  await trx
    .updateTable('specifications')
    .set({
      state: to,
      paused_because: to === 'paused' ? reason : null,
      next_due_at: null,
      updated_at: sql`now()`,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: `specification.${to}`,
    subject: id,
    detail: { reason },
  })
  return getSpecification(trx, tenantId, id)
}

/** When the schedule fires next after `now`; null without schedule. */
export async function nextDueAt(
  trx: Trx,
  tenantId: TenantId,
  id: SpecificationId,
  body: Specification,
  now: Date,
): Promise<Date | null> {
  const { cadence, coverage, timeZone, offsetMinutes, spreadMinutes } = body
  if (body.schedule !== 'automatic' || !isPeriodic(cadence)) return null
  const last = await trx
    .selectFrom('slots')
    .select('period_key')
    .where('tenant_id', '=', tenantId)
    .where('specification_id', '=', id)
    .where('cadence', '=', cadence)
    .where('due_at', 'is not', null)
    .orderBy('period_key', 'desc')
    .limit(1)
    .executeTakeFirst()
  const schedule = { cadence, coverage, timeZone, offsetMinutes, spreadMinutes, seed: id }
  const lastPeriodKey = last?.period_key ?? null
  return new Date(nextDue({ ...schedule, after: now.toISOString(), lastPeriodKey }).dueAt)
}

async function assertEntitled(trx: Trx, tenantId: TenantId, body: Specification) {
  const bought = await readEntitlement(trx, tenantId)
  const missing = unentitled(body, bought)
  if (missing.length > 0) throw new AlmanacError('SCOPE_NOT_ENTITLED', { missing })
  return bought
}

async function assertExternalIdFree(
  trx: Trx,
  tenantId: TenantId,
  externalId: string | undefined,
): Promise<void> {
  if (externalId === undefined) return
  const taken = await trx
    .selectFrom('specifications')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('external_id', '=', externalId)
    .executeTakeFirst()
  if (taken)
    throw new AlmanacError('NAME_TAKEN', {
      what: 'specification with the external id',
      name: JSON.stringify(externalId),
    })
}

async function insertRevision(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: SpecificationId,
  revision: number,
  body: Specification,
): Promise<void> {
  const text = canonicalJson(body)
  await trx
    .insertInto('specification_revisions')
    .values({
      tenant_id: tenantId,
      specification_id: id,
      revision,
      body: text,
      hash: sha256(text),
      created_by: actor,
    })
    .execute()
}

async function lockSpecification(
  trx: Trx,
  tenantId: TenantId,
  id: SpecificationId,
): Promise<SpecificationResource> {
  const locked = await trx
    .selectFrom('specifications')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!locked) throw notFound(id)
  return getSpecification(trx, tenantId, id)
}

const selectSpecifications = (trx: Trx, tenantId: TenantId, revision?: number) =>
  trx
    .selectFrom('specifications')
    .innerJoin('specification_revisions as revisions', (join) =>
      join
        .onRef('revisions.tenant_id', '=', 'specifications.tenant_id')
        .onRef('revisions.specification_id', '=', 'specifications.id')
        .on((on) =>
          revision === undefined
            ? on('revisions.revision', '=', on.ref('specifications.revision'))
            : on('revisions.revision', '=', revision),
        ),
    )
    .where('specifications.tenant_id', '=', tenantId)
    .select([
      'specifications.id',
      'specifications.state',
      'specifications.activated_at',
      'specifications.next_due_at',
      'specifications.paused_because',
      'specifications.created_at',
      'specifications.updated_at',
      'revisions.revision',
      'revisions.hash',
      'revisions.body',
    ])

type Row = Awaited<ReturnType<ReturnType<typeof selectSpecifications>['executeTakeFirstOrThrow']>>

const view = (row: Row): SpecificationResource => ({
  id: row.id,
  state: row.state,
  revision: row.revision,
  hash: row.hash,
  body: specificationSchema.parse(JSON.parse(row.body)),
  activatedAt: isoOrNull(row.activated_at),
  nextDueAt: isoOrNull(row.next_due_at),
  pausedBecause: row.paused_because,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

const notFound = (id: SpecificationId) =>
  new AlmanacError('NOT_FOUND', { what: `specification ${id}` })

const conflict = (state: string, allowed: string) =>
  new AlmanacError('STATE_CONFLICT', { what: 'specification', state, allowed })

/** Refused before any cost: a refinement that nothing would end. */
function assertRefinement(body: Specification): void {
  const issues = refinementIssues(body)
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
}
