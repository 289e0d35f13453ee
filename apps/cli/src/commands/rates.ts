import { readTenantRates, writeTenantRates } from '@almanac/db'
import { createLogger, type Config } from '@almanac/runtime'
import type { Screen } from '../screen.ts'
import { withDatabase } from '../system/database.ts'
import { findTenant } from './operators.ts'

export interface RateOptions {
  requests?: number
  tokens?: number
  none?: boolean
}

/**
 * `almanac rates set TENANT`: what the tenant may send a minute at most; a limit that is not named stays
 * as it is, and `--none` lifts both. Without any, shows them. Workers know within half a second.
 */
export async function setTenantRates(
  screen: Screen,
  config: Config,
  text: string,
  { requests, tokens, none = false }: RateOptions,
): Promise<void> {
  const isAsked = none || requests !== undefined || tokens !== undefined
  const { id, rates } = await withDatabase(config, createLogger(config, 'stderr'), ({ db }) =>
    db.withSystem('operators', async (trx) => {
      const tenant = await findTenant(trx, text)
      const known = await readTenantRates(trx, tenant.id)
      const wanted = {
        requests: requests ?? (none ? null : known.requests),
        tokens: tokens ?? (none ? null : known.tokens),
      }
      if (isAsked) await writeTenantRates(trx, tenant.id, 'operator', wanted)
      return { id: tenant.id, rates: wanted }
    }),
  )
  const said = (limit: number | null) => (limit === null ? 'no limit of' : String(limit))
  screen.say(`${id}: ${said(rates.requests)} requests and ${said(rates.tokens)} tokens a minute.`)
  screen.result({ tenantId: id, requestsPerMinute: rates.requests, tokensPerMinute: rates.tokens })
}
