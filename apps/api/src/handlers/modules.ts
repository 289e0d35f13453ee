import { getModule, listModules, registerModule, removeModule } from '@almanac/db'
import type { moduleRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** The handlers of `/v1/modules`. */
export const moduleHandlers = ({
  db,
  urlOf,
}: Pick<ApiParts, 'db' | 'urlOf'>): Handlers<keyof typeof moduleRoutes> => ({
  registerModule: {
    async change(trx, { caller: { tenantId, principalId }, body }) {
      const registered = await registerModule(trx, tenantId, principalId, body)
      return { body: registered, headers: { location: urlOf(`/v1/modules/${registered.id}`) } }
    },
  },
  listModules: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listModules(trx, tenantId, query)),
  }),
  getModule: async ({ caller: { tenantId }, params: { id } }) => ({
    body: await db.withTenant(tenantId, (trx) => getModule(trx, tenantId, id)),
  }),
  removeModule: async ({ caller: { tenantId, principalId }, params: { id } }) => ({
    body: await db.withTenant(tenantId, (trx) => removeModule(trx, tenantId, principalId, id)),
  }),
})
