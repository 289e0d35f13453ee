import type { WorkerId } from '@almanac/domain'
import type { Leases } from '@almanac/pipeline'
import type { Log } from './log.ts'

export interface LeaseOptions {
  leases: Leases
  worker: { id: WorkerId; host: string; pid: number; version: string }
  log: Log
  /** Called once when the lease is gone: others may have taken over this worker's runs. */
  onLost(): void
  everyMs?: number
  ttlMs?: number
  /** A clock in milliseconds that never goes back, whatever is done to the machine's date. */
  monotonic?: () => number
}

export interface LeaseKeeper {
  /** Milliseconds until the lease ends unless it is renewed; 0 when it is lost. */
  readonly leftMs: number
  /** Gives the lease up, so that nobody waits for its end. */
  stop(): Promise<void>
}

/**
 * Tells the others that this worker lives: a row that says for how long, renewed every two seconds.
 *
 *   register ──▶ kept ──renew──▶ kept …
 *                 │  └─ a renewal fails: tried again, as long as the lease runs
 *                 ├─ a renewal finds it expired ──▶ lost
 *                 └─ it ran out before a renewal came through ──▶ lost
 *
 * The end is reckoned by the process's own clock, from before the renewal was sent: it is never
 * later than the database's. A process that was frozen past it finds its timer due when it thaws.
 */
export async function keepLease({
  leases,
  worker,
  log,
  onLost,
  everyMs = 2_000,
  ttlMs = 6_000,
  monotonic = () => performance.now(),
}: LeaseOptions): Promise<LeaseKeeper> {
  let endsAt = monotonic() + ttlMs
  let over = false
  let renewal: Promise<void> = Promise.resolve()
  await leases.register(worker, ttlMs)

  const end = () => {
    over = true
    clearTimeout(expiry)
    clearInterval(renewals)
  }
  const lose = (why: string) => {
    if (over) return
    end()
    log.error({ worker: worker.id }, `the worker's lease is lost: ${why}`)
    onLost()
  }
  const watchEnd = () =>
    setTimeout(() => {
      lose('it was not renewed in time')
    }, endsAt - monotonic())

  const renew = async (): Promise<void> => {
    const sentAt = monotonic()
    try {
      const kept = await leases.renew(worker.id, ttlMs)
      if (over) return
      if (!kept || monotonic() >= endsAt) {
        lose('it had expired')
        return
      }
      endsAt = sentAt + ttlMs
      clearTimeout(expiry)
      expiry = watchEnd()
    } catch (cause) {
      if (!over) log.warn({ worker: worker.id, cause }, 'the lease could not be renewed')
    }
  }

  let renewing = false
  let expiry = watchEnd()
  const renewals = setInterval(() => {
    if (renewing) return
    renewing = true
    renewal = renew().finally(() => (renewing = false))
  }, everyMs)

  return {
    get leftMs() {
      return over ? 0 : Math.max(0, endsAt - monotonic())
    },
    stop: async () => {
      const wasLost = over
      end()
      await renewal
      if (!wasLost) await leases.leave(worker.id)
    },
  }
}
