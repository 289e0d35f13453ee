import {
  AlmanacError,
  type PrincipalId,
  type SpendingResource,
  type TenantId,
} from '@almanac/domain'
import type { Database } from '../pool.ts'
import { listStops, resumeSpending, stopSpending } from '../rates/stops.ts'

// Stops belong to the installation, and tenants may not write them: each function here takes the
// rights of the system for the stop of the one tenant that calls it.

/** The stop that the tenant set itself, if it is in force. */
export const readOwnStop = (db: Database, tenantId: TenantId): Promise<SpendingResource> =>
  db.withSystem('spending', async (trx) => {
    const stops = await listStops(trx)
    const own = stops.find(({ scope, subject }) => scope === 'own' && subject === tenantId)
    return {
      stopped: own !== undefined,
      reason: own?.reason ?? null,
      stoppedBy: own?.stoppedBy ?? null,
      stoppedAt: own?.stoppedAt ?? null,
      queuedRuns: null,
    }
  })

/** Stops the tenant's own spending; audited. The first reason stays. */
export async function stopOwnSpending(
  db: Database,
  tenantId: TenantId,
  principalId: PrincipalId,
  reason: string,
): Promise<SpendingResource> {
  await db.withSystem('spending', (trx) =>
    stopSpending(trx, { scope: 'own', tenantId }, principalId, reason),
  )
  return readOwnStop(db, tenantId)
}

/** Lifts the tenant's own stop, and no other; audited. Throws NOT_FOUND when there is none. */
export async function resumeOwnSpending(
  db: Database,
  tenantId: TenantId,
  principalId: PrincipalId,
): Promise<SpendingResource> {
  const queuedRuns = await db.withSystem('spending', (trx) =>
    resumeSpending(trx, { scope: 'own', tenantId }, principalId),
  )
  if (queuedRuns === undefined)
    throw new AlmanacError('NOT_FOUND', { what: 'stop of your own spending' })
  return { ...(await readOwnStop(db, tenantId)), queuedRuns }
}
