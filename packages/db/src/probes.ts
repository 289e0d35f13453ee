import { sql } from 'kysely'
import type { Database } from './pool.ts'

/** What a probe is about. */
export interface ProbedEndpoint {
  endpoint: string
  api: 'responses' | 'chat'
  model: string
}

/** Where the probes of endpoints are kept; what they found is JSON text, and only the engine's to read. */
export interface Probes {
  find(of: ProbedEndpoint): Promise<{ capabilities: string; probedAt: Date } | undefined>
  /** Replaces what was kept of the endpoint. */
  store(of: ProbedEndpoint, found: { capabilities: string; probedAt: Date }): Promise<void>
  forget(of: ProbedEndpoint): Promise<void>
}

export function createProbes(db: Database): Probes {
  const isOf = ({ endpoint, api, model }: ProbedEndpoint) =>
    sql`endpoint = ${endpoint} and api = ${api} and model = ${model}`
  return {
    async find(of) {
      const [row] = await db.querySystem(
        'probes',
        sql<{ capabilities: string; probedAt: Date }>`
          select capabilities, probed_at as "probedAt" from probes where ${isOf(of)}`,
      )
      return row
    },
    async store({ endpoint, api, model }, { capabilities, probedAt }) {
      await db.querySystem(
        'probes',
        sql`insert into probes (endpoint, api, model, capabilities, probed_at)
          values (${endpoint}, ${api}, ${model}, ${capabilities}, ${probedAt})
          on conflict (endpoint, api, model) do update set
            capabilities = excluded.capabilities, probed_at = excluded.probed_at`,
      )
    },
    async forget(of) {
      await db.querySystem('probes', sql`delete from probes where ${isOf(of)}`)
    },
  }
}
