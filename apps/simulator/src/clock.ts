/** Where the simulator reads the time, and how it waits. */
export interface Clock {
  /** Milliseconds since 1970. */
  now: () => number
  /** Waits `ms`, if they are any; false when `signal` was aborted before. */
  wait: (ms: number, signal: AbortSignal) => Promise<boolean>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted || ms <= 0) return resolve(!signal.aborted)
      const stop = () => {
        clearTimeout(timer)
        resolve(false)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop)
        resolve(true)
      }, ms)
      signal.addEventListener('abort', stop, { once: true })
    }),
}
