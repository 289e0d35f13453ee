import { readAllUsage, readUsage, readWaste } from '@almanac/db'
import type { usageRoutes } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { daysOf, mostCsvLines, usageCsvAnswer, wantsCsv } from './usage-answers.ts'

/** The handlers of `/v1/usage`. */
export const usageHandlers = (parts: ApiParts): Handlers<keyof typeof usageRoutes> => ({
  getUsage: async (asked) => {
    const {
      caller: { tenantId },
      query,
    } = asked
    const range = daysOf(parts, query)
    if (wantsCsv(asked)) {
      const { groupBy, specificationId } = query
      const { data } = await parts.db.withTenant(tenantId, (trx) =>
        readAllUsage(trx, { tenantId, groupBy, specificationId, ...range }, mostCsvLines),
      )
      return usageCsvAnswer(groupBy, data, range)
    }
    const page = await parts.db.withTenant(tenantId, (trx) =>
      readUsage(trx, { ...query, ...range, tenantId }),
    )
    return { body: { ...range, ...page } }
  },
  getWaste: async ({ caller: { tenantId }, query }) => ({
    body: await parts.db.withTenant(tenantId, (trx) =>
      readWaste(trx, { tenantId, ...daysOf(parts, query) }),
    ),
  }),
})
