import { readOwnStop, resumeOwnSpending, stopOwnSpending } from '@almanac/db'
import type { stopSpendRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** The handlers of `/v1/stop-spend`: a tenant's stop of itself, and of nobody else. */
export const stopSpendHandlers = ({ db }: ApiParts): Handlers<keyof typeof stopSpendRoutes> => ({
  getSpendStop: async ({ caller: { tenantId } }) => ({ body: await readOwnStop(db, tenantId) }),
  stopSpending: async ({ caller: { tenantId, principalId }, body: { reason } }) => ({
    body: await stopOwnSpending(db, tenantId, principalId, reason),
  }),
  resumeSpending: async ({ caller: { tenantId, principalId } }) => ({
    body: await resumeOwnSpending(db, tenantId, principalId),
  }),
})
