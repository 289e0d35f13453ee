import type { CallLimits } from './settings.ts'

/** A limit that a call came up against. */
export type Reached = 'time' | 'size'

/** Watches over one call: ends it when it takes too long, grows too large, or is cancelled. */
export interface Watch {
  /** Aborted when the call is over, for whatever reason. */
  readonly controller: AbortController
  /** The limit that ended the call; undefined for one that ended by itself or was cancelled. */
  readonly reached: Reached | undefined
  /** The headers are here: from now on the body is waited for. */
  answered(): void
  /** A part of the body is here. */
  received(bytes: number): void
  /** The answer's text has grown to so many characters. */
  grown(characters: number): void
  /** Stops the clocks, and closes the connection unless its answer was read to the end. */
  stop(isRead: boolean): void
}

/** Starts the clocks of a call. */
export function startWatch(signal: AbortSignal, limits: CallLimits): Watch {
  const controller = new AbortController()
  let reached: Reached | undefined
  let bytes = 0
  const reach = (limit: Reached) => {
    if (!controller.signal.aborted) reached = limit
    controller.abort()
  }
  const cancel = () => controller.abort(signal.reason)
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  const total = setTimeout(reach, limits.totalMs, 'time')
  let waiting = setTimeout(reach, limits.firstByteMs, 'time')
  return {
    controller,
    get reached() {
      return reached
    },
    answered() {
      clearTimeout(waiting)
      waiting = setTimeout(reach, limits.idleMs, 'time')
    },
    received(count) {
      waiting.refresh()
      bytes += count
      if (bytes > limits.wireBytes) reach('size')
    },
    grown(characters) {
      if (characters > limits.answerCharacters) reach('size')
    },
    stop(isRead) {
      clearTimeout(total)
      clearTimeout(waiting)
      signal.removeEventListener('abort', cancel)
      if (!isRead) controller.abort()
    },
  }
}
