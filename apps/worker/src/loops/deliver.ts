import type { WorkerId } from '@almanac/domain'
import type { Clock, DeliveryStore, DueDelivery } from '@almanac/pipeline'
import { nextAttempt, type Deliverer } from '../deliverer.ts'
import type { Log } from '../log.ts'
import type { LeaderLoopWork } from '../loop.ts'

export interface DeliverPorts {
  deliveries: DeliveryStore
  deliverers: Readonly<Record<string, Deliverer>>
  workerId: WorkerId
  clock: Clock
  log: Log
}

/** Deliveries that one pass makes at once. */
const batch = 20

/** Takes due deliveries to where they should go; what fails is tried again for three days. */
export const deliver = (ports: DeliverPorts): LeaderLoopWork => ({
  name: 'deliver',
  everyMs: 1_000,
  pass: async (signal) => {
    const due = await ports.deliveries.claimDue(ports.workerId, batch)
    await Promise.all(due.map((delivery) => deliverOne(ports, delivery, signal)))
    return due.length >= batch
  },
})

async function deliverOne(
  { deliveries, deliverers, clock, log }: DeliverPorts,
  delivery: DueDelivery,
  signal: AbortSignal,
): Promise<void> {
  const { id, tenantId, runId, deliverer: name, attempts } = delivery
  const ids = { delivery: id, tenant: tenantId, run: runId, deliverer: name }
  try {
    const deliverer = Object.hasOwn(deliverers, name) ? deliverers[name] : undefined
    if (!deliverer) throw new Error(`no deliverer is called ${name}`)
    const detail = await deliverer.deliver(delivery, signal)
    await deliveries.succeeded(delivery, detail)
  } catch (cause) {
    const now = clock.now()
    // Shutdown is no failure of the delivery: whoever leads next goes on with it at once.
    const next = signal.aborted ? now : nextAttempt(attempts, now)
    const error = cause instanceof Error ? cause.message : String(cause)
    await deliveries.failed(delivery, error, next)
    log.warn({ ...ids, attempts, nextAttemptAt: next, cause }, 'a delivery failed')
  }
}
