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
  const open = waiting.map((tenant) => ({ ...tenant })).filter(hasRoom)
  for (let left = room; left > 0 && open.length > 0; left -= 1) {
    open.sort((a, b) => a.inFlight - b.inFlight || (a.tenantId < b.tenantId ? -1 : 1))
    const [first] = open
    if (!first) break
    first.inFlight += 1
    first.queued -= 1
    admitted.set(first.tenantId, (admitted.get(first.tenantId) ?? 0) + 1)
    if (!hasRoom(first)) open.shift()
  }
  return admitted
}

const hasRoom = ({ queued, inFlight, cap }: Waiting): boolean => queued > 0 && inFlight < cap
