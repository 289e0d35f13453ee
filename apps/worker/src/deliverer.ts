import type { Json } from '@almanac/domain'
import type { DueDelivery } from '@almanac/pipeline'

/**
 * Takes a run's artifacts where they should go. Delivering the same delivery again, after an answer
 * that was lost, must do no harm: its id stays the same. Throws what went wrong; the loop retries.
 */
export interface Deliverer {
  /** Answers what is worth keeping of the delivery, such as where it went. */
  deliver(delivery: DueDelivery, signal: AbortSignal): Promise<Json>
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Rests before the second, third, … attempt: quick at first, three days in all. */
const restsMs = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  hour,
  4 * hour,
  12 * hour,
  24 * hour,
  24 * hour,
  6 * hour,
]

/** When a delivery is tried again after its `attempts`-th attempt failed; null when it is given up. */
export function nextAttempt(attempts: number, now: Date): Date | null {
  const restMs = restsMs[attempts - 1]
  return restMs === undefined ? null : new Date(now.getTime() + restMs)
}
