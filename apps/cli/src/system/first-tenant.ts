import { createKey, createTenant, firstPrincipal, findTenants, type Database } from '@almanac/db'
import { keyScopes, type Entitlement } from '@almanac/domain'
import { industries } from '@almanac/industries'
import type { Config } from '@almanac/runtime'
import { readCredentials } from '../credentials.ts'

/** What the first tenant of an installation may do: everything there is, for a trial. */
const everything = (): Entitlement => ({
  industries: Object.fromEntries(
    industries.map(({ id }) => [id, { deliverables: '*', regions: '*', links: '*' }]),
  ),
  workflows: true,
  fastestCadence: 'daily',
  activeSpecifications: 100,
  onDemandRunsPerMonth: 100,
})

/**
 * The key of the first tenant, which is made when there is none. An installation whose key file is gone
 * gets a new key; undefined when tenants exist that were not made here.
 */
export async function ensureFirstTenant(
  db: Database,
  { dataDir, profile }: Pick<Config, 'dataDir' | 'profile'>,
  url: string,
): Promise<string | undefined> {
  const known = readCredentials(dataDir)
  return db.withSystem('bootstrap', async (trx) => {
    const tenants = await findTenants(trx)
    const [first] = tenants
    if (first && known) return known.key
    if (first && first.name !== firstTenantName) return undefined
    const { tenantId, principalId } = first
      ? { tenantId: first.id, principalId: await firstPrincipal(trx, first.id) }
      : await createTenant(trx, 'system', {
          name: firstTenantName,
          principalName: 'owner',
          entitlement: everything(),
          // On a laptop there is nobody else to ask.
          allowSelfApproval: profile === 'embedded',
        })
    const name = `almanac up at ${url}`
    const key = { principalId, name, scopes: [...keyScopes] }
    return (await createKey(trx, tenantId, 'system', key)).secret
  })
}

const firstTenantName = 'First tenant'
