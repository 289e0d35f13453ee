import type { Leadership, LoopName } from '@almanac/pipeline'
import type { Log } from './log.ts'

/** What a loop does, and how often. */
export interface LoopWork {
  name: string
  everyMs: number
  /** One pass; answers true when there is more to do at once. A pass that throws is tried again. */
  pass(signal: AbortSignal): Promise<boolean | undefined>
}

/** A loop that one process at a time runs. */
export interface LeaderLoopWork extends LoopWork {
  name: LoopName
}

export interface RunningLoop {
  readonly name: string
  /** Whether this process makes the passes. */
  readonly leading: boolean
  /** How many passes came to their end. */
  readonly passes: number
  /** Asks for a pass now, or soon after the last one; many calls within a few milliseconds are one. */
  wake(): void
  /** Resolves when the pass under way has ended. */
  stop(): Promise<void>
}

/** Woken passes are at least so far apart, so that of a burst of wakes all but the first are one pass. */
const debounceMs = 3
/** A loop rests for so many times its last pass at least: wakes without end take a third of its time. */
const restPerPass = 2
/** How often a process that does not lead asks again. */
const followEveryMs = 1_000
/** The longest rest after failures. */
const longestRestMs = 10_000

interface Term {
  lost: AbortSignal
  release(): Promise<void>
}

/**
 * Runs a loop until it is stopped:
 *
 *   follow ──leadership──▶ lead: pass, rest until the interval or a wake, pass, …
 *      ▲                    │
 *      └──connection lost───┘        a pass that fails: logged, a longer rest, the next pass
 *
 * Without `leadership` every process makes the passes.
 */
export function startLoop(
  work: LoopWork | (LeaderLoopWork & { leadership: Leadership }),
  log: Log,
): RunningLoop {
  const { name, everyMs } = work
  const stopping = new AbortController()
  const bell = createBell()
  let debounce: NodeJS.Timeout | undefined
  let leading = false
  let passes = 0
  let failures = 0
  let lastPassMs = 0
  let restingSince = 0

  const attempt = async <T>(action: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await action()
      failures = 0
      return result
    } catch (cause) {
      failures += 1
      if (!stopping.signal.aborted)
        log.warn({ loop: name, failures, cause }, 'a loop failed; it is tried again')
      return undefined
    }
  }
  const lead = (): Promise<Term | undefined> =>
    'leadership' in work ? work.leadership.lead(work.name) : Promise.resolve(everyone)

  const makePasses = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const startedAt = performance.now()
      const more = await attempt(() => work.pass(signal))
      restingSince = performance.now()
      lastPassMs = restingSince - startedAt
      passes += failures === 0 ? 1 : 0
      if (failures > 0) await createBell().wait(restMs(everyMs, failures), signal)
      else if (more !== true) await bell.wait(everyMs, signal)
    }
  }
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const term = await attempt(lead)
      if (term) {
        leading = true
        await makePasses(AbortSignal.any([stopping.signal, term.lost]))
        leading = false
        await attempt(() => term.release())
      } else await createBell().wait(restMs(followEveryMs, failures), stopping.signal)
    }
  }
  const ended = run()

  return {
    name,
    get leading() {
      return leading
    },
    get passes() {
      return passes
    },
    wake: () => {
      if (debounce) return
      const apartMs = Math.max(debounceMs, Math.min(restPerPass * lastPassMs, everyMs))
      const leftMs = apartMs - (performance.now() - restingSince)
      // A timer would take a millisecond even for no time at all.
      if (leftMs <= 0) bell.ring()
      else
        debounce = setTimeout(() => {
          debounce = undefined
          bell.ring()
        }, leftMs)
    },
    stop: async () => {
      stopping.abort()
      clearTimeout(debounce)
      await ended
    },
  }
}

const everyone: Term = {
  lost: new AbortController().signal,
  release: () => Promise.resolve(),
}

/** The interval, doubled for every failure in a row. */
const restMs = (everyMs: number, failures: number): number =>
  Math.min(everyMs * 2 ** Math.min(failures, 16), longestRestMs)

/** A rest that can be cut short; a ring while nobody rests shortens the next rest. */
function createBell() {
  let rung = false
  let wakeUp: (() => void) | undefined
  return {
    ring: () => {
      rung = true
      wakeUp?.()
    },
    wait: async (ms: number, signal: AbortSignal): Promise<void> => {
      if (!rung && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<undefined>()
        wakeUp = () => {
          resolve(undefined)
        }
        const timer = setTimeout(wakeUp, ms)
        signal.addEventListener('abort', wakeUp, { once: true })
        await promise
        clearTimeout(timer)
        signal.removeEventListener('abort', wakeUp)
        wakeUp = undefined
      }
      rung = false
    },
  }
}
