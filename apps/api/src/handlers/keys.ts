import { createKey, listKeys, readEntitlement, revokeKey } from '@almanac/db'
import { AlmanacError, type keyRoutes } from '@almanac/domain'
import type { Authenticator } from '../authenticate.ts'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** The handlers of `/v1/keys` and `/v1/me`. */
export const keyHandlers = (
  { db, clock }: ApiParts,
  authenticator: Authenticator,
): Handlers<keyof typeof keyRoutes> => ({
  whoAmI: async ({ caller: { tenantId, tenantName, principalId, scopes } }) => {
    const entitlement = await db.withTenant(tenantId, (trx) => readEntitlement(trx, tenantId))
    return { body: { tenantId, tenantName, principalId, scopes, entitlement } }
  },
  createKey: async ({ caller, body: { name, scopes, expiresAt } }) => {
    const { tenantId, principalId } = caller
    // A key cannot make one that may do more than itself.
    const lacking = scopes.filter((scope) => !caller.scopes.includes(scope))
    if (lacking.length > 0)
      throw new AlmanacError('SCOPE_MISSING', {
        needed: lacking.join(', '),
        has: caller.scopes.join(', '),
      })
    if (expiresAt !== undefined && Date.parse(expiresAt) <= clock.now().getTime())
      throw new AlmanacError('INPUT_INVALID', {
        issues: [{ field: 'expiresAt', message: 'must be in the future', value: expiresAt }],
      })
    const key = { principalId, name, scopes: [...new Set(scopes)], expiresAt }
    const created = await db.withTenant(tenantId, (trx) =>
      createKey(trx, tenantId, principalId, key),
    )
    return { body: created }
  },
  listKeys: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listKeys(trx, tenantId, query)),
  }),
  revokeKey: async ({ caller: { tenantId, principalId }, params: { id } }) => {
    const revoked = await db.withTenant(tenantId, (trx) =>
      revokeKey(trx, tenantId, principalId, id),
    )
    authenticator.forget()
    return { body: revoked }
  },
})
