import type { Clock } from './clock.ts'
import type { FaultBook } from './faults/fault-book.ts'
import type { RateLimiter } from './rate-limits.ts'
import type { RequestLog } from './request-log.ts'
import type { Settings } from './settings.ts'
import type { ModelList } from './wire/models.ts'

/** Everything that a simulator knows while it runs. */
export interface Simulation {
  settings: Settings
  readonly clock: Clock
  readonly log: RequestLog
  readonly faults: FaultBook
  readonly limiter: RateLimiter
  readonly models: ModelList
  /** The bearer keys that are let in; undefined lets any key in. */
  readonly keys: ReadonlySet<string> | undefined
  /** Answers that can be read again by their ids, the oldest first. */
  readonly stored: Map<string, object>
}

/** So many stored answers are kept. */
const mostStored = 1_000

/** Stores an answer under its id, in place of the oldest where there is no room. */
export function storeAnswer({ stored }: Simulation, id: string, answer: object): void {
  stored.delete(id)
  stored.set(id, answer)
  for (const [oldest] of stored) if (stored.size > mostStored) stored.delete(oldest)
}
