import {
  AlmanacError,
  isTerminal,
  phaseKinds,
  runStates,
  type Issue,
  type ModuleDefinition,
  type ModuleId,
  type ModuleResource,
  type PhaseKind,
  type Specification,
  type TenantId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { sql, type Selectable } from 'kysely'
import { z } from 'zod'
import type { Trx } from '../pool.ts'
import type { Modules } from '../schema.ts'
import { recordAct } from './acts.ts'
import { pageFrom, type Page, type PageQuery } from './pages.ts'

/** Registers a module. Throws NAME_TAKEN for a key that the tenant has used. */
export async function registerModule(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  definition: ModuleDefinition,
): Promise<ModuleResource> {
  const row = await trx
    .insertInto('modules')
    .values({ tenant_id: tenantId, id: newId('module'), created_by: actor, ...definition })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'key']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row)
    throw new AlmanacError('NAME_TAKEN', {
      what: 'module with the key',
      name: JSON.stringify(definition.key),
    })
  const detail = { key: definition.key }
  await recordAct(trx, tenantId, { actor, action: 'module.registered', subject: row.id, detail })
  return resource(row)
}

/** The tenant's modules, newest first; of one phase, or with one key, where that is asked. */
export async function listModules(
  trx: Trx,
  tenantId: TenantId,
  {
    limit,
    cursor,
    phase,
    key,
  }: PageQuery & { phase?: PhaseKind | undefined; key?: string | undefined },
): Promise<Page<ModuleResource>> {
  let query = trx.selectFrom('modules').selectAll().where('tenant_id', '=', tenantId)
  if (phase) query = query.where('phase', '=', phase)
  if (key !== undefined) query = query.where('key', '=', key)
  if (cursor) query = query.where('id', '<', cursor as ModuleId)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, resource, ({ id }) => id)
}

/** One module. Throws NOT_FOUND. */
export async function getModule(
  trx: Trx,
  tenantId: TenantId,
  id: ModuleId,
): Promise<ModuleResource> {
  const row = await trx
    .selectFrom('modules')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `module ${id}` })
  return resource(row)
}

/**
 * Removes a module that nothing uses: no specification's newest revision, unless archived, and no
 * revision that an unfinished run is bound to. Throws MODULE_IN_USE with the users, NOT_FOUND.
 */
export async function removeModule(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: ModuleId,
): Promise<ModuleResource> {
  await lockRegistry(trx, tenantId, 'alone')
  const found = await getModule(trx, tenantId, id)
  const users = await usersOf(trx, tenantId, found.key)
  if (users.length > 0) throw new AlmanacError('MODULE_IN_USE', { key: found.key, users })
  await trx.deleteFrom('modules').where('tenant_id', '=', tenantId).where('id', '=', id).execute()
  const detail = { key: found.key }
  await recordAct(trx, tenantId, { actor, action: 'module.removed', subject: id, detail })
  return found
}

const ended = runStates.filter(isTerminal)

/** Names of the specifications that use the module, in order, as a person would look for them. */
async function usersOf(trx: Trx, tenantId: TenantId, key: string): Promise<string[]> {
  const { rows } = await sql<{ name: string; id: string }>`
    select s.name, s.id from specifications s
    where s.tenant_id = ${tenantId} and s.kind = 'workflow' and exists (
      select from specification_revisions r
      where r.tenant_id = s.tenant_id and r.specification_id = s.id
        and (r.body::jsonb -> 'modules') ? ${key}
        and (r.revision = s.revision and s.state <> 'archived' or exists (
          select from runs u where u.tenant_id = r.tenant_id and u.specification_id = r.specification_id
            and u.revision = r.revision and u.state <> all (${ended}::text[]))))
    order by s.name, s.id`.execute(trx)
  return rows.map(({ name, id }) => `${JSON.stringify(name)} (${id})`)
}

/**
 * Throws INPUT_INVALID naming every module that a specification uses and the tenant does not have. What
 * it finds stays there until the transaction ends.
 */
export async function assertModules(
  trx: Trx,
  tenantId: TenantId,
  body: Specification,
): Promise<void> {
  if (body.kind !== 'workflow' || body.modules.length === 0) return
  await lockRegistry(trx, tenantId, 'together')
  const rows = await trx
    .selectFrom('modules')
    .select('key')
    .where('tenant_id', '=', tenantId)
    .where('key', 'in', body.modules)
    .execute()
  const known = new Set(rows.map(({ key }) => key))
  const issues = body.modules.flatMap((key, i): Issue[] =>
    known.has(key)
      ? []
      : [
          {
            field: `modules.${i}`,
            message: 'must be the key of a registered module; `almanac modules list` names them',
            value: JSON.stringify(key),
          },
        ],
  )
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
}

/** Whoever takes modules into use goes together; whoever removes one goes alone. */
async function lockRegistry(
  trx: Trx,
  tenantId: TenantId,
  how: 'alone' | 'together',
): Promise<void> {
  const key = sql`hashtextextended(${`almanac.modules.${tenantId}`}, 0)`
  await (
    how === 'alone'
      ? sql`select pg_advisory_xact_lock(${key})`
      : sql`select pg_advisory_xact_lock_shared(${key})`
  ).execute(trx)
}

const phase = z.enum(phaseKinds)

/** The definition in a stored row. */
export const definitionOf = (
  row: Omit<Selectable<Modules>, 'tenant_id' | 'id' | 'created_by' | 'created_at'>,
): ModuleDefinition => ({
  key: row.key,
  phase: phase.parse(row.phase),
  name: row.name,
  purpose: row.purpose,
  steps: row.steps,
  inputs: row.inputs,
  outputs: row.outputs,
})

const resource = (row: Selectable<Modules>): ModuleResource => ({
  id: row.id,
  ...definitionOf(row),
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString(),
})
