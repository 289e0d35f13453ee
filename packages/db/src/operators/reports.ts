import type { TenantId, WasteReport } from '@almanac/domain'
import type { Database } from '../pool.ts'
import {
  listLostCalls,
  readProviderUsage,
  type LostCall,
  type ProviderUsage,
} from '../nouns/provider-usage.ts'
import {
  readAllUsage,
  readUsage,
  type DayRange,
  type UsagePage,
  type UsageQuery,
} from '../nouns/usage.ts'
import { readWaste } from '../nouns/waste.ts'

// What a tenant is told of itself, of all tenants: each function here takes the rights of the system.

export const readTenantsUsage = (db: Database, query: UsageQuery): Promise<UsagePage> =>
  db.withSystem('operators', (trx) => readUsage(trx, query))

/** All groups at once. Throws INPUT_INVALID when there are more than `most`. */
export const readAllTenantsUsage = (
  db: Database,
  query: Omit<UsageQuery, 'limit' | 'cursor'>,
  most: number,
): Promise<UsagePage> => db.withSystem('operators', (trx) => readAllUsage(trx, query, most))

export const readTenantsWaste = (
  db: Database,
  query: DayRange & { tenantId: TenantId | null },
): Promise<WasteReport> => db.withSystem('operators', (trx) => readWaste(trx, query))

/** What was counted of a provider's calls, with those whose answers were lost. */
export const readProviderCalls = (
  db: Database,
  provider: string,
  days: DayRange,
): Promise<{ counted: ProviderUsage[]; lost: LostCall[] }> =>
  db.withSystem('operators', async (trx) => ({
    counted: await readProviderUsage(trx, provider, days),
    lost: await listLostCalls(trx, provider, days),
  }))
