import type { RunNews, WatchedRun } from '@almanac/db'
import { isTerminal, runStates, type EventResource, type RunId } from '@almanac/domain'
import type { ApiLog } from '../parts.ts'

/** Reads what happened in many runs, in one query; runs without news are left out. */
export type ReadNews = (watched: readonly WatchedRun[]) => Promise<RunNews[]>

export interface WatchOptions {
  /** Answers an empty list when nothing came within so many milliseconds. */
  withinMs: number
  signal: AbortSignal
}

export interface RunWatcher {
  /** The next events of a run, as soon as there are any; none when time is up or nobody waits. */
  next(watched: WatchedRun, options: WatchOptions): Promise<EventResource[]>
  /** Whether the run ended in time. */
  ended(watched: WatchedRun, options: WatchOptions): Promise<boolean>
  /** A run of this process has ended: who waits for that is answered, and its next events are read at once. */
  tell(runId: RunId): void
}

const ends = new Set<string>(runStates.filter(isTerminal).map((state) => `run.${state}`))

/** Whether an event is the last move of its run. */
export const endsRun = ({ type }: EventResource): boolean => ends.has(type)

const shortestMs = 15
/** For those who wait for an end that this process is likely to be told of. */
const toldMs = 60
const longestMs = 250

interface Wish extends WatchedRun {
  since: number
  shortestMs: number
  dueAt: number
  /** It is only asked whether the run is over: who is told that it is need not read its events. */
  endOnly: boolean
  settle: (news: EventResource[] | 'over') => void
}

/**
 * Watches runs for everybody in this process, with one query for all of them. A run that somebody
 * began to wait for a moment ago is asked about every few milliseconds, later ever more rarely, at
 * least every 250 ms: nobody waits much longer than the run took. Without watchers it does nothing.
 * Where the ends of this process's runs are told, they need not be asked for as often.
 */
export function createRunWatcher(
  readNews: ReadNews,
  log: ApiLog,
  { told = false }: { told?: boolean } = {},
): RunWatcher {
  const wishes = new Set<Wish>()
  let unplan: () => void = () => undefined
  let reading = false

  const plan = (): void => {
    unplan()
    if (reading || wishes.size === 0) return
    const dueAt = Math.min(...[...wishes].map((wish) => wish.dueAt))
    unplan = after(dueAt - performance.now(), () => void read())
  }

  const read = async (): Promise<void> => {
    reading = true
    const now = performance.now()
    // Whoever is due soon is asked about at once, so that queries do not multiply with watchers.
    const asked = [...wishes].filter((wish) => wish.dueAt - now <= pauseOf(wish, now) / 2)
    for (const wish of asked) wish.dueAt = now + pauseOf(wish, now)
    try {
      const news = new Map(
        (await readNews(earliest(asked))).map(({ runId, events }) => [runId, events]),
      )
      for (const wish of asked) {
        const events = news.get(wish.runId)?.filter(({ seq }) => seq > wish.after) ?? []
        if (events.length > 0) wish.settle(events)
      }
    } catch (error) {
      log.warn({ err: error, watched: asked.length }, 'the events of runs were not read')
      for (const wish of asked) wish.dueAt = performance.now() + longestMs
    }
    reading = false
    plan()
  }

  const wait = (
    watched: WatchedRun,
    pace: Pick<Wish, 'since' | 'shortestMs' | 'endOnly'>,
    { withinMs, signal }: WatchOptions,
  ): Promise<EventResource[] | 'over'> =>
    new Promise((resolve) => {
      const settle = (news: EventResource[] | 'over') => {
        clearTimeout(timeUp)
        signal.removeEventListener('abort', nobody)
        wishes.delete(wish)
        plan()
        resolve(news)
      }
      const nobody = () => settle([])
      const timeUp = setTimeout(nobody, withinMs)
      const now = performance.now()
      const wish: Wish = { ...watched, ...pace, dueAt: now + pauseOf(pace, now), settle }
      if (signal.aborted) return nobody()
      signal.addEventListener('abort', nobody)
      wishes.add(wish)
      plan()
    })

  return {
    async next(watched, options) {
      const pace = { since: performance.now(), shortestMs, endOnly: false }
      const news = await wait(watched, pace, options)
      return news === 'over' ? [] : news
    },
    async ended(watched, { withinMs, signal }) {
      const since = performance.now()
      let after = watched.after
      for (;;) {
        const left = since + withinMs - performance.now()
        if (left <= 0 || signal.aborted) return false
        const pace = { since, shortestMs: told ? toldMs : shortestMs, endOnly: true }
        const news = await wait({ ...watched, after }, pace, { withinMs: left, signal })
        if (news === 'over' || news.some(endsRun)) return true
        after = news.at(-1)?.seq ?? after
      }
    },
    tell(runId) {
      const now = performance.now()
      const waiting = [...wishes].filter((wish) => wish.runId === runId)
      for (const wish of waiting)
        if (wish.endOnly) wish.settle('over')
        else wish.dueAt = now
      if (waiting.length > 0) plan()
    },
  }
}

/** Plans work; where nothing is left to wait for, for the next turn: a timer takes a millisecond at least. */
function after(ms: number, work: () => void): () => void {
  if (ms > 0) {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  }
  const next = setImmediate(work)
  return () => clearImmediate(next)
}

/** Each run once, from where the one of its watchers is that has seen the least. */
function earliest(wishes: readonly WatchedRun[]): WatchedRun[] {
  const byRun = new Map<RunId, WatchedRun>()
  for (const { tenantId, runId, after } of wishes) {
    const known = byRun.get(runId)
    if (!known || after < known.after) byRun.set(runId, { tenantId, runId, after })
  }
  return [...byRun.values()]
}

/** A quarter of the time that was waited already, within bounds. */
const pauseOf = (wish: Pick<Wish, 'since' | 'shortestMs'>, now: number): number =>
  Math.min(longestMs, Math.max(wish.shortestMs, (now - wish.since) / 4))
