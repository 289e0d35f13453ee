import { listBudgetAlerts, listBudgets, setBudgetLimit } from '@almanac/db'
import { AlmanacError, type budgetRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** The handlers of `/v1/budgets` and `/v1/budget-alerts`. */
export const budgetHandlers = ({ db }: ApiParts): Handlers<keyof typeof budgetRoutes> => ({
  listBudgets: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listBudgets(trx, tenantId, query)),
  }),
  setBudget: async ({ caller: { tenantId, principalId, scopes }, body }) => {
    // What the tenant as a whole may spend is for those who run the installation to say.
    if (body.level !== 'specification' && !scopes.includes('operator'))
      throw new AlmanacError('SCOPE_MISSING', { needed: 'operator', has: scopes.join(', ') })
    return { body: (await setBudgetLimit(db, tenantId, principalId, body)).budget }
  },
  listBudgetAlerts: async ({ caller: { tenantId }, query }) => ({
    body: await db.withTenant(tenantId, (trx) => listBudgetAlerts(trx, tenantId, query)),
  }),
})
