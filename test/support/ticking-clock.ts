import type { Clock } from '@almanac/simulator'

/** A clock that stands as long as anybody is at work, and then goes on to the next tick that is waited for. */
export interface TickingClock extends Clock {
  /** Work during which the clock stands, but for what it waits. */
  during<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Makes a clock for those who work with each other over real sockets but are not to wait in real time.
 * Whoever works says so (`during`); a wait is rest. One that serves others while they work only waits.
 * A wait ends at the first tick at or after its time.
 */
export function createTickingClock(startsAt: string, tickMs: number): TickingClock {
  const start = Date.parse(startsAt)
  const waiting = new Map<number, (() => void)[]>()
  let now = start
  let atWork = 0

  const goOn = (): void => {
    if (atWork > 0 || waiting.size === 0) return
    now = Math.min(...waiting.keys())
    const woken = waiting.get(now) ?? []
    waiting.delete(now)
    atWork += woken.length
    for (const wake of woken) wake()
  }
  const rest = (): void => {
    atWork -= 1
    if (atWork === 0) setImmediate(goOn)
  }

  return {
    now: () => now,
    wait: (ms) => {
      if (ms <= 0) return Promise.resolve(true)
      const due = start + Math.ceil((now + ms - start) / tickMs) * tickMs
      return new Promise((resolve) => {
        const others = waiting.get(due) ?? []
        waiting.set(due, [...others, () => resolve(true)])
        rest()
      })
    },
    during: async (work) => {
      atWork += 1
      try {
        return await work()
      } finally {
        rest()
      }
    },
  }
}
