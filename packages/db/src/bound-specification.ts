import {
  AlmanacError,
  entitlement,
  type Entitlement,
  type SpecificationState,
} from '@almanac/domain'
import { lowestId } from '@almanac/domain/ids'
import type { Specifications } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'
import { parseBody } from './specification-body.ts'

interface Row {
  state: SpecificationState
  tenant_name: string
  tenant_state: 'active' | 'suspended'
  body: string
  hash: string
  entitlement: unknown
  on_demand_runs: number
}

/** A tenant for whom no operator has written an entitlement has bought nothing. */
const nothingBought: Entitlement = {
  industries: {},
  workflows: false,
  fastestCadence: 'monthly',
  activeSpecifications: 0,
  onDemandRunsPerMonth: 0,
}

/** The revision that a run is bound to, with the live facts around it, in one round trip. */
export function createSpecifications(db: Database): Specifications {
  return {
    async bound(run) {
      const { tenantId, specificationId, revision, id, createdAt } = run
      const made = new Date(createdAt)
      const monthFloor = lowestId(
        'run',
        new Date(Date.UTC(made.getUTCFullYear(), made.getUTCMonth(), 1)),
      )
      const [row] = await db.queryTenant(
        sql<Row>`select * from bound_specification(
          ${tenantId}, ${specificationId}, ${revision}, ${id}, ${monthFloor})`,
      )
      if (!row)
        throw new AlmanacError('NOT_FOUND', {
          what: `revision ${revision} of specification ${specificationId}`,
        })
      return {
        state: row.state,
        tenantName: row.tenant_name,
        tenantSuspended: row.tenant_state === 'suspended',
        body: parseBody(row.hash, row.body),
        hash: row.hash,
        entitlement: row.entitlement === null ? nothingBought : entitlement.parse(row.entitlement),
        onDemandRunsThisMonth: row.on_demand_runs,
      }
    },
  }
}
