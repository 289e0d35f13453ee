import type { TenantId } from '@almanac/domain'
import { whoGoesNext, type AdmissionStore } from '@almanac/pipeline'
import type { QueueBackend } from '@almanac/queue'
import type { LeaderLoopWork } from '../loop.ts'

export interface AdmitPorts {
  admission: AdmissionStore
  backend: Pick<QueueBackend, 'add'>
  /** How many jobs all workers together run at once. */
  capacity(): number
  /** Which of the tenants could make a call now: the others have no room in a rate, or are stopped. */
  mayCall(tenantIds: readonly TenantId[]): Promise<ReadonlySet<TenantId>>
}

/** Runs in flight for each that the workers run at once: a job is waiting whenever one ends. */
const inFlightPerWorker = 2

/** The only door into the queue: fills up to twice the workers' capacity, fairly among tenants. */
export const admit = ({ admission, backend, capacity, mayCall }: AdmitPorts): LeaderLoopWork => ({
  name: 'admit',
  everyMs: 250,
  pass: async () => {
    const { tenants, inFlight } = await admission.backlog()
    const room = inFlightPerWorker * capacity() - inFlight
    if (room <= 0 || tenants.length === 0) return false
    const able = await mayCall(tenants.map(({ tenantId }) => tenantId))
    const counts = whoGoesNext(
      tenants.filter(({ tenantId }) => able.has(tenantId)),
      room,
    )
    if (counts.size > 0) await backend.add(await admission.admit(counts))
    return false
  },
})
