import { readAllUsage, readUsage, readWaste, type DayRange } from '@almanac/db'
import { AlmanacError, usageCsv, type usageRoutes } from '@almanac/domain'
import type { Asked, BytesAnswer, Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'

/** Lines of one CSV answer. */
const mostLines = 100_000

/** The handlers of `/v1/usage`. */
export const usageHandlers = (parts: ApiParts): Handlers<keyof typeof usageRoutes> => ({
  getUsage: async (asked) => {
    if (wantsCsv(asked)) return csvOf(parts, asked)
    const {
      caller: { tenantId },
      query,
    } = asked
    const range = daysOf(parts, query)
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

async function csvOf(
  parts: ApiParts,
  { caller: { tenantId }, query }: Asked<'getUsage'>,
): Promise<BytesAnswer> {
  const { groupBy, specificationId } = query
  const range = daysOf(parts, query)
  const { data } = await parts.db.withTenant(tenantId, (trx) =>
    readAllUsage(trx, { tenantId, groupBy, specificationId, ...range }, mostLines),
  )
  const name = `almanac-usage-${range.from}-${range.to}.csv`
  return {
    bytes: Buffer.from(usageCsv(groupBy, data)),
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}"`,
      'cache-control': 'no-store',
    },
  }
}

const wantsCsv = ({ query: { format }, request }: Asked<'getUsage'>): boolean =>
  format === undefined
    ? request.accepts(['application/json', 'text/csv']) === 'text/csv'
    : format === 'csv'

/** The days that are asked for; the present month up to today unless they are named. */
function daysOf(
  { clock }: Pick<ApiParts, 'clock'>,
  {
    from,
    to = clock.now().toISOString().slice(0, 10),
  }: { from?: string | undefined; to?: string | undefined },
): DayRange {
  const range = { from: from ?? `${to.slice(0, 7)}-01`, to }
  if (range.from <= range.to) return range
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'query.from', message: `must not be after ${to}`, value: range.from }],
  })
}
