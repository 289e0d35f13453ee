import {
  closeProviderCircuit,
  liftSpendStop,
  listOperatorActs,
  listProviders,
  listSpendStops,
  readAllTenantsUsage,
  readProviderCalls,
  readTenantsUsage,
  readTenantsWaste,
  setSpendStop,
  type OperatorStop,
} from '@almanac/db'
import { reconcile, type operatorRoutes, type TenantId } from '@almanac/domain'
import type { Handlers } from '../binding/route-handler.ts'
import type { ApiParts } from '../parts.ts'
import { daysOf, mostCsvLines, usageCsvAnswer, wantsCsv } from './usage-answers.ts'

/** The handlers of `/v1/ops`: for those who run the installation. */
export const operatorHandlers = (parts: ApiParts): Handlers<keyof typeof operatorRoutes> => {
  const { db, provider: own } = parts
  return {
    listSpendStops: async () => ({ body: { data: await listSpendStops(db) } }),
    setSpendStop: async ({ caller: { operatorId }, body }) => ({
      body: await setSpendStop(db, operatorId, stopOf(body), body.reason),
    }),
    liftSpendStop: async ({ caller: { operatorId }, query }) => ({
      body: { queuedRuns: await liftSpendStop(db, operatorId, stopOf(query)) },
    }),

    listProviders: async () => {
      const stored = await listProviders(db, own ? [own.name] : [])
      const data = stored.map((one) => ({
        ...one,
        rates:
          own?.name === one.provider
            ? { requestsPerMinute: own.rates.requests, tokensPerMinute: own.rates.tokens }
            : null,
      }))
      return { body: { data } }
    },
    resumeProvider: async ({ caller: { operatorId }, params: { provider } }) => ({
      body: { queuedRuns: await closeProviderCircuit(db, operatorId, provider) },
    }),

    getTenantsUsage: async (asked) => {
      const { tenantId = null, groupBy, limit, cursor } = asked.query
      const range = daysOf(parts, asked.query)
      const by = tenantId === null ? (['tenant', ...groupBy] as const) : groupBy
      const wanted = { tenantId, groupBy: by, ...range }
      if (wantsCsv(asked)) {
        const { data } = await readAllTenantsUsage(db, wanted, mostCsvLines)
        return usageCsvAnswer(by, data, range)
      }
      return { body: { ...range, ...(await readTenantsUsage(db, { ...wanted, limit, cursor })) } }
    },
    getTenantsWaste: async ({ query }) => ({
      body: await readTenantsWaste(db, {
        tenantId: query.tenantId ?? null,
        ...daysOf(parts, query),
      }),
    }),
    reconcileUsage: async ({ body: { provider, thresholdPercent, lines, ...named } }) => {
      const told = lines.map(({ costUsd, ...line }) => ({ ...line, cost: costUsd }))
      const days = told.map(({ day }) => day).toSorted()
      const range = daysOf(parts, {
        from: named.from ?? days[0],
        to: named.to ?? days.at(-1),
      })
      const within = told.filter(({ day }) => day >= range.from && day <= range.to)
      const { counted, lost } = await readProviderCalls(db, provider, range)
      const found = reconcile(counted, within, thresholdPercent / 100)
      const over = found.total.over || found.lines.some((line) => line.over)
      return { body: { provider, ...range, over, ...found, lostCalls: lost } }
    },

    listOperatorActs: async ({ query }) => ({ body: await listOperatorActs(db, query) }),
  }
}

/** Whose spending is named. That the subject fits its scope, the schema has made sure. */
function stopOf({
  scope,
  tenantId,
  provider,
}: {
  scope: 'all' | 'tenant' | 'provider'
  tenantId?: TenantId | undefined
  provider?: string | undefined
}): OperatorStop {
  if (scope === 'tenant' && tenantId !== undefined) return { scope, tenantId }
  if (scope === 'provider' && provider !== undefined) return { scope, provider }
  if (scope === 'all') return { scope }
  throw new Error(`a stop of a ${scope} names none`)
}
