import {
  createKey,
  createTenant,
  ensurePerson,
  findTenants,
  firstPrincipal,
  writeEntitlement,
  type Trx,
} from '@almanac/db'
import {
  AlmanacError,
  entitlement,
  keyScope,
  parse,
  plainLine,
  tenantScopes,
  type KeyScope,
  type TenantId,
} from '@almanac/domain'
import { createLogger, type Config } from '@almanac/runtime'
import { z } from 'zod'
import { readJson } from '../read-file.ts'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'

/** Operators act with the rights of the database's login; the audit names them so. */
const operator = 'operator'

const inSystem = <T>(config: Config, work: (trx: Trx) => Promise<T>): Promise<T> =>
  withDatabase(config, createLogger(config, 'stderr'), ({ db }) => db.withSystem('operators', work))

/** `almanac tenant create NAME`: the tenant, its entitlement, and a first key, shown once. */
export async function createTenantNamed(
  screen: Screen,
  config: Config,
  name: string,
  entitlementFile: string,
): Promise<void> {
  const bought = parse(entitlement, readJson(entitlementFile))
  const made = await inSystem(config, async (trx) => {
    const ids = await createTenant(trx, operator, {
      name,
      principalName: 'owner',
      entitlement: bought,
    })
    const key = { principalId: ids.principalId, name: 'first key', scopes: tenantScopes }
    return { ...ids, key: await createKey(trx, ids.tenantId, operator, key) }
  })
  screen.say(`${made.tenantId} "${name}" is created.`)
  screen.say(`Its first key, shown this once: ${made.key.secret}`)
  screen.result({ tenantId: made.tenantId, key: made.key })
}

/** `almanac tenant entitle TENANT`: replaces what was bought. */
export async function entitleTenant(
  screen: Screen,
  config: Config,
  text: string,
  entitlementFile: string,
): Promise<void> {
  const bought = parse(entitlement, readJson(entitlementFile))
  const tenant = await inSystem(config, async (trx) => {
    const found = await findTenant(trx, text)
    await writeEntitlement(trx, found.id, operator, bought)
    return found
  })
  screen.say(`${tenant.id} "${tenant.name}" now has what ${entitlementFile} says.`)
  screen.result({ tenantId: tenant.id, entitlement: bought })
}

/**
 * `almanac key create TENANT`: a key of the tenant's first principal, or of the person of that name, who is
 * made where there is none; shown once.
 */
export async function createKeyFor(
  screen: Screen,
  config: Config,
  text: string,
  { name, scope, person }: { name: string; scope?: string[]; person?: string },
): Promise<void> {
  const who = person === undefined ? undefined : parse(plainLine(120), person, 'person')
  const scopes: KeyScope[] = scope
    ? parse(z.array(keyScope).min(1), scope, 'scope')
    : [...tenantScopes]
  const key = await inSystem(config, async (trx) => {
    const tenant = await findTenant(trx, text)
    const principalId =
      who === undefined
        ? await firstPrincipal(trx, tenant.id)
        : await ensurePerson(trx, tenant.id, operator, who)
    return createKey(trx, tenant.id, operator, { principalId, name, scopes })
  })
  screen.say(`${key.id} of ${key.principalId} may: ${key.scopes.join(', ')}`)
  screen.say(`Shown this once: ${key.secret}`)
  screen.result(key)
}

/** The tenant of an id or a name. Throws NOT_FOUND, INPUT_INVALID for a name that several have. */
export async function findTenant(trx: Trx, text: string): Promise<{ id: TenantId; name: string }> {
  const [found, ...more] = await findTenants(trx, text)
  if (!found) throw new AlmanacError('NOT_FOUND', { what: `tenant "${text}"` })
  if (more.length > 0)
    throw new AlmanacError('INPUT_INVALID', {
      issues: [
        { field: 'TENANT', message: `must be an id: several tenants have the name`, value: text },
      ],
    })
  return found
}
