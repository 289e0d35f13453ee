import {
  AlmanacError,
  canonicalJson,
  entitlement as entitlementSchema,
  type Entitlement,
  type PrincipalId,
  type TenantId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { recordAct } from './acts.ts'

export interface TenantView {
  id: TenantId
  name: string
  state: 'active' | 'suspended'
}

/** Creates a tenant with its entitlement and a first principal. For operators: takes a system transaction. */
export async function createTenant(
  trx: Trx,
  actor: string,
  tenant: {
    name: string
    principalName: string
    entitlement: Entitlement
    allowSelfApproval?: boolean
  },
): Promise<{ tenantId: TenantId; principalId: PrincipalId }> {
  const [tenantId, principalId] = [newId('tenant'), newId('principal')]
  await trx
    .insertInto('tenants')
    .values({
      id: tenantId,
      name: tenant.name,
      allow_self_approval: tenant.allowSelfApproval ?? false,
    })
    .execute()
  await trx
    .insertInto('principals')
    .values({ tenant_id: tenantId, id: principalId, kind: 'person', name: tenant.principalName })
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'tenant.created',
    subject: tenantId,
    detail: { name: tenant.name },
  })
  await writeEntitlement(trx, tenantId, actor, tenant.entitlement)
  return { tenantId, principalId }
}

/** Replaces what a tenant has bought; audited with before and after. */
export async function writeEntitlement(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  bought: Entitlement,
): Promise<void> {
  const before = await trx
    .selectFrom('entitlements')
    .select('body')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  const body = canonicalJson(bought)
  await trx
    .insertInto('entitlements')
    .values({ tenant_id: tenantId, body, written_by: actor })
    .onConflict((conflict) =>
      conflict.column('tenant_id').doUpdateSet({ body, written_by: actor, written_at: sql`now()` }),
    )
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'entitlement.written',
    subject: tenantId,
    detail: {
      before: before ? entitlementSchema.parse(before.body) : null,
      after: bought,
    },
  })
}

export async function readEntitlement(trx: Trx, tenantId: TenantId): Promise<Entitlement> {
  const row = await trx
    .selectFrom('entitlements')
    .select('body')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return parseEntitlement(row?.body)
}

/** What a stored entitlement says. Throws NOT_FOUND where a tenant has none. */
export function parseEntitlement(body: unknown): Entitlement {
  if (body === undefined || body === null)
    throw new AlmanacError('NOT_FOUND', { what: 'entitlement of this tenant' })
  return entitlementSchema.parse(body)
}

/** Finds tenants by id or exact name; for operators. */
export async function findTenants(trx: Trx, idOrName?: string): Promise<TenantView[]> {
  let query = trx.selectFrom('tenants').select(['id', 'name', 'state'])
  if (idOrName !== undefined)
    query = query.where((where) =>
      where.or([where('id', '=', idOrName as TenantId), where('name', '=', idOrName)]),
    )
  return query.orderBy('id').limit(1_000).execute()
}

/** Suspends or resumes a tenant: a suspended one keeps its data and runs nothing. */
export async function setTenantState(
  trx: Trx,
  tenantId: TenantId,
  state: TenantView['state'],
): Promise<void> {
  await trx.updateTable('tenants').set({ state }).where('id', '=', tenantId).execute()
}

/** The person of this name in a tenant, who is made, audited, where there is none. For operators. */
export async function ensurePerson(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  name: string,
): Promise<PrincipalId> {
  const found = await trx
    .selectFrom('principals')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'person')
    .where('name', '=', name)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  if (found) return found.id
  const id = newId('principal')
  await trx
    .insertInto('principals')
    .values({ tenant_id: tenantId, id, kind: 'person', name })
    .execute()
  await recordAct(trx, tenantId, {
    actor,
    action: 'principal.created',
    subject: id,
    detail: { name },
  })
  return id
}

/** The first principal of a tenant, for keys made by an operator. */
export async function firstPrincipal(trx: Trx, tenantId: TenantId): Promise<PrincipalId> {
  const row = await trx
    .selectFrom('principals')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: 'principal of this tenant' })
  return row.id
}
