import type { TenantId } from '@almanac/domain'

/** What admission knows of a tenant with queued runs. */
export interface Waiting {
  tenantId: TenantId
  queued: number
  inFlight: number
  /** The most runs of the tenant that may be in flight at once. */
  cap: number
}

/**
 * How many queued runs of each tenant start now, within `room` and each tenant's cap: one each in
 * turn, those with the fewest in flight first. Pure; the order within a tenant is the queue's.
 */
export function whoGoesNext(waiting: readonly Waiting[], room: number): Map<TenantId, number> {
  const admitted = new Map<TenantId, number>()
  // Tenants by how many runs they have in flight; one that gets a run moves up a level.
  const levels = new Map<number, Waiting[]>()
  const place = (tenant: Waiting) => {
    if (!hasRoom(tenant)) return
    const level = levels.get(tenant.inFlight)
    if (level) level.push(tenant)
    else levels.set(tenant.inFlight, [tenant])
  }
  waiting.forEach(place)
  for (let left = room; left > 0 && levels.size > 0;) {
    const lowest = Math.min(...levels.keys())
    const next = (levels.get(lowest) ?? []).sort(byId).slice(0, left)
    levels.delete(lowest)
    left -= next.length
    for (const { tenantId, queued, inFlight, cap } of next) {
      admitted.set(tenantId, (admitted.get(tenantId) ?? 0) + 1)
      place({ tenantId, queued: queued - 1, inFlight: inFlight + 1, cap })
    }
  }
  return admitted
}

const hasRoom = ({ queued, inFlight, cap }: Waiting): boolean => queued > 0 && inFlight < cap

const byId = (a: Waiting, b: Waiting): number => (a.tenantId < b.tenantId ? -1 : 1)
