import type { TenantId } from '@almanac/domain'
import type { RateLimits, SpendGate } from '@almanac/pipeline'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Database } from '../pool.ts'

const perMinute = z.nullable(z.number())

const snapshot = z.object({
  version: z.number(),
  stops: z.array(
    z.object({ scope: z.enum(['all', 'tenant', 'own', 'provider']), subject: z.string() }),
  ),
  circuits: z.array(
    z.object({
      provider: z.string(),
      state: z.enum(['open', 'half_open']),
      probeRunId: z.nullable(z.string()),
    }),
  ),
  tenantRates: z.record(z.string(), z.object({ requests: perMinute, tokens: perMinute })),
})
type Snapshot = z.output<typeof snapshot>

/** A spend gate that also knows the rate limits of tenants, which change as seldom. */
export interface PostgresSpendGate extends SpendGate {
  ofTenant(tenantId: TenantId): RateLimits
  /**
   * Refreshes as soon as something changes, until the signal aborts; answers when it listens. Over
   * when its connection breaks: call it again then.
   */
  listen(signal: AbortSignal): Promise<{ lost: AbortSignal }>
}

/** A snapshot older than this is read again before a call is let through. */
const longestMs = 1_000

const unlimited: RateLimits = { requests: null, tokens: null }

/**
 * What is stopped, held in memory and asked for at every call. It is as new as the last `refresh`, which
 * a loop asks for twice a second and `listen` at every change; a "no" is confirmed by a fresh read, and
 * so is everything when the loop is late. `hold_calls` asks the rows themselves once more.
 */
export function createSpendGate(
  db: Database,
  { monotonic = () => performance.now() }: { monotonic?: () => number } = {},
): PostgresSpendGate {
  let known: Snapshot = { version: -1, stops: [], circuits: [], tenantRates: {} }
  let readAt = -Infinity
  let reading: Promise<void> | undefined

  const read = async (): Promise<void> => {
    const startedAt = monotonic()
    const [row] = await db.querySystem(
      'spending',
      sql<{ found: unknown }>`select spend_snapshot(${known.version}) as found`,
    )
    const found = row?.found
    if (found !== null && found !== undefined) known = snapshot.parse(found)
    readAt = startedAt
  }
  // A read that is under way may have looked before the change that its caller wants to see.
  const refresh = (): Promise<void> => {
    const before = reading ?? Promise.resolve()
    const next = before.catch(() => undefined).then(read)
    const own = next.finally(() => {
      if (reading === own) reading = undefined
    })
    reading = own
    return own
  }

  const isStopped = (provider: string, tenantId: TenantId): boolean =>
    known.stops.some(
      ({ scope, subject }) =>
        scope === 'all' || subject === (scope === 'provider' ? provider : tenantId),
    )
  const decide = (provider: string, tenantId: TenantId, runId: string) => {
    if (isStopped(provider, tenantId)) return { open: false } as const
    const circuit = known.circuits.find((one) => one.provider === provider)
    if (!circuit) return { open: true, probe: false } as const
    return circuit.probeRunId === runId
      ? ({ open: true, probe: true } as const)
      : ({ open: false } as const)
  }

  return {
    refresh,
    async check({ provider, tenantId, runId }) {
      const isOld = monotonic() - readAt > longestMs
      if (isOld || !decide(provider, tenantId, runId).open) await refresh()
      return decide(provider, tenantId, runId)
    },
    async billingStopped(provider, code) {
      await db.querySystem('spending', sql`select open_circuit(${provider}, ${code})`)
      await refresh()
    },
    async probed({ provider, runId }, healthy) {
      await db.querySystem('spending', sql`select end_probe(${provider}, ${runId}, ${healthy})`)
      await refresh()
    },
    spending: (provider, tenantIds) =>
      new Set(tenantIds.filter((tenantId) => !isStopped(provider, tenantId))),
    ofTenant: (tenantId) => known.tenantRates[tenantId] ?? unlimited,
    async listen(signal) {
      const connection = await db.dedicate('spending')
      const end = () => void connection.end().catch(() => undefined)
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
      connection.onNotification(() => void refresh().catch(() => undefined))
      await connection.query('listen almanac_spending')
      // What changed before it listened.
      await refresh()
      return connection
    },
  }
}
