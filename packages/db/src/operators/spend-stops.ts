import {
  AlmanacError,
  type OperatorId,
  type SpendStopResource,
  type TenantId,
} from '@almanac/domain'
import { findTenants } from '../nouns/tenants.ts'
import type { Database, Trx } from '../pool.ts'
import {
  listStops,
  resumeSpending,
  stopSpending,
  subjectOf,
  type SpendStop,
  type StopScope,
} from '../rates/stops.ts'

/** Whose spending an operator stops or resumes; a tenant's own stop is the tenant's alone. */
export type OperatorStop = Exclude<StopScope, { scope: 'own' }>

/** Every stop in force, oldest first. */
export const listSpendStops = (db: Database): Promise<SpendStopResource[]> =>
  db.withSystem('operators', async (trx) => (await listStops(trx)).map(resource))

/** Stops spending; audited. `changed` is false when it was stopped before. Throws NOT_FOUND. */
export const setSpendStop = (
  db: Database,
  operatorId: OperatorId,
  stop: OperatorStop,
  reason: string,
): Promise<SpendStopResource & { changed: boolean }> =>
  db.withSystem('operators', async (trx) => {
    if (stop.scope === 'tenant') await assertTenant(trx, stop.tenantId)
    const changed = await stopSpending(trx, stop, operatorId, reason)
    const inForce = (await listStops(trx)).find(
      ({ scope, subject }) => scope === stop.scope && subject === subjectOf(stop),
    )
    if (!inForce) throw new AlmanacError('NOT_FOUND', { what: `stop of ${nameOf(stop)}` })
    return { ...resource(inForce), changed }
  })

/** Lifts a stop; audited. Answers how many runs were queued. Throws NOT_FOUND when there is none. */
export const liftSpendStop = (
  db: Database,
  operatorId: OperatorId,
  stop: OperatorStop,
): Promise<number> =>
  db.withSystem('operators', async (trx) => {
    const queued = await resumeSpending(trx, stop, operatorId)
    if (queued === undefined)
      throw new AlmanacError('NOT_FOUND', { what: `stop of ${nameOf(stop)}` })
    return queued
  })

const nameOf = (stop: OperatorStop): string =>
  stop.scope === 'all' ? 'everything' : `${stop.scope} ${subjectOf(stop)}`

async function assertTenant(trx: Trx, tenantId: TenantId): Promise<void> {
  const found = (await findTenants(trx, tenantId)).some(({ id }) => id === tenantId)
  if (!found) throw new AlmanacError('NOT_FOUND', { what: `tenant ${tenantId}` })
}

const resource = ({ scope, subject, ...stop }: SpendStop): SpendStopResource => ({
  scope,
  tenantId: scope === 'tenant' || scope === 'own' ? (subject as TenantId) : null,
  provider: scope === 'provider' ? subject : null,
  ...stop,
})
