import type { OperatorId, ProviderResource } from '@almanac/domain'
import type { Database } from '../pool.ts'
import { listProviderBudgets, type ProviderBudgetView } from '../nouns/provider-budgets.ts'
import { listCircuits, listStops, resumeProvider } from '../rates/stops.ts'

/** What is stored of providers; how fast one may be called, the process that calls it knows. */
export type StoredProvider = Omit<ProviderResource, 'rates'>

/** Every provider that was ever stopped, is stopped, or has a budget today, and the `further` ones named. */
export const listProviders = (
  db: Database,
  further: readonly string[],
): Promise<StoredProvider[]> =>
  db.withSystem('operators', async (trx) => {
    const circuits = await listCircuits(trx)
    const budgets = await listProviderBudgets(trx)
    const stops = await listStops(trx)
    const all = stops.some(({ scope }) => scope === 'all')
    const stopped = stops.filter(({ scope }) => scope === 'provider').map(({ subject }) => subject)
    const names = new Set([
      ...further,
      ...circuits.map(({ provider }) => provider),
      ...budgets.map(({ provider }) => provider),
      ...stopped,
    ])
    return [...names].toSorted().map((provider) => {
      const circuit = circuits.find((one) => one.provider === provider)
      const budget = budgets.find((one) => one.provider === provider)
      const { state = 'closed', reason = '', openedAt = null, nextProbeAt = null } = circuit ?? {}
      return {
        provider,
        circuit: {
          state,
          reason: state === 'closed' ? null : reason,
          openedAt,
          nextProbeAt,
        },
        stopped: all || stopped.includes(provider),
        today: budget ? dayOf(budget) : null,
      }
    })
  })

/** Closes a provider's circuit; audited. Answers how many runs were queued. Throws NOT_FOUND. */
export const closeProviderCircuit = (
  db: Database,
  operatorId: OperatorId,
  provider: string,
): Promise<number> => db.withSystem('operators', (trx) => resumeProvider(trx, provider, operatorId))

const dayOf = ({ provider: _name, ...today }: ProviderBudgetView) => today
