import type { WatchedRun } from '@almanac/db'
import type { EventResource } from '@almanac/domain'
import { endsRun, type RunWatcher } from './run-watcher.ts'

export interface StreamOptions {
  heartbeatMs: number
  signal: AbortSignal
}

/**
 * A run's events as a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html): those
 * that are there, then each as it comes, until the run is over. `over` says that it is already. A
 * comment keeps the connection open while nothing happens. Reads on only when it is read from.
 */
export async function* eventStream(
  watcher: RunWatcher,
  watched: WatchedRun,
  backlog: readonly EventResource[],
  over: boolean,
  { heartbeatMs, signal }: StreamOptions,
): AsyncGenerator<string> {
  yield `retry: 1000\n\n`
  for (const event of backlog) yield frameOf(event)
  let ended = over || backlog.some(endsRun)
  let after = backlog.at(-1)?.seq ?? watched.after
  while (!ended && !signal.aborted) {
    const events = await watcher.next({ ...watched, after }, { withinMs: heartbeatMs, signal })
    if (events.length === 0 && !signal.aborted) yield ': nothing new\n\n'
    for (const event of events) yield frameOf(event)
    ended = events.some(endsRun)
    after = events.at(-1)?.seq ?? after
  }
}

/** One event; its data is one line, because JSON has no line breaks of its own. */
const frameOf = (event: EventResource): string =>
  `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
