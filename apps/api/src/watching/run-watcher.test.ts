import type { WatchedRun } from '@almanac/db'
import type { EventResource, RunId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventStream } from './event-stream.ts'
import { createRunWatcher, type ReadNews } from './run-watcher.ts'

const tenantId = newId('tenant')
const event = (seq: number, type = 'run.stage_completed'): EventResource => ({
  seq,
  type,
  data: {},
  at: '2026-11-21T08:00:00.000Z',
})

/** Runs as the database has them, and how often it was asked about which. */
function createRuns() {
  const events = new Map<RunId, EventResource[]>()
  const asked: (readonly WatchedRun[])[] = []
  const readNews: ReadNews = (watched) => {
    asked.push(watched)
    return Promise.resolve(
      watched.flatMap(({ runId, after }) => {
        const news = (events.get(runId) ?? []).filter(({ seq }) => seq > after)
        return news.length > 0 ? [{ runId, events: news }] : []
      }),
    )
  }
  const happen = (runId: RunId, ...news: EventResource[]) =>
    events.set(runId, [...(events.get(runId) ?? []), ...news])
  return { asked, readNews, happen }
}

const warnings: unknown[] = []
const log = { warn: (fields: unknown) => warnings.push(fields) } as never
const alive = new AbortController().signal
const patient = { withinMs: 60_000, signal: alive }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  warnings.length = 0
})
afterEach(() => vi.useRealTimers())

describe('a watcher', () => {
  it('asks about all runs at once, and answers each its own', async () => {
    const { asked, readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const ids = Array.from({ length: 50 }, () => newId('run'))
    const waiting = ids.map((runId) => watcher.next({ tenantId, runId, after: 1 }, patient))
    ids.forEach((runId, i) => happen(runId, event(1), event(i + 2)))
    await vi.advanceTimersByTimeAsync(20)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toHaveLength(50)
    const answers = await Promise.all(waiting)
    expect(answers.map((events) => events.map(({ seq }) => seq))).toEqual(
      ids.map((_, i) => [i + 2]),
    )
  })

  it('asks about a run once for all who watch it, from where the last one is', async () => {
    const { asked, readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const runId = newId('run')
    const waiting = [4, 0, 2].map((after) => watcher.next({ tenantId, runId, after }, patient))
    happen(runId, event(1), event(2), event(3), event(4), event(5))
    await vi.advanceTimersByTimeAsync(20)
    expect(asked[0]).toEqual([{ tenantId, runId, after: 0 }])
    const seen = (await Promise.all(waiting)).map((events) => events.map(({ seq }) => seq))
    expect(seen).toEqual([[5], [1, 2, 3, 4, 5], [3, 4, 5]])
  })

  it('asks ever more rarely, but four times a second', async () => {
    const { asked, readNews } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    void watcher.next({ tenantId, runId: newId('run'), after: 0 }, patient)
    await vi.advanceTimersByTimeAsync(1_000)
    const young = asked.length
    expect(young).toBeGreaterThan(10)
    expect(young).toBeLessThan(30)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked.length - young).toBeGreaterThanOrEqual(38)
    expect(asked.length - young).toBeLessThanOrEqual(42)
  })

  it('answers at once who waits for the end of a run that it is told of, and asks seldom before', async () => {
    const { asked, readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log, { told: true })
    const runId = newId('run')
    const ended = watcher.ended({ tenantId, runId, after: 0 }, patient)
    await vi.advanceTimersByTimeAsync(59)
    expect(asked).toHaveLength(0)
    watcher.tell(newId('run'))
    watcher.tell(runId)
    expect(await ended).toBe(true)
    expect(asked).toHaveLength(0)

    const following = watcher.next({ tenantId, runId, after: 0 }, patient)
    happen(runId, event(1, 'run.queued'), event(2, 'run.succeeded'))
    watcher.tell(runId)
    await vi.advanceTimersByTimeAsync(0)
    expect(await following).toHaveLength(2)
    expect(asked).toHaveLength(1)
  })

  it('does nothing while nobody watches', async () => {
    const { asked, readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const runId = newId('run')
    const waiting = watcher.next({ tenantId, runId, after: 0 }, patient)
    happen(runId, event(1))
    await vi.advanceTimersByTimeAsync(50)
    await waiting
    const before = asked.length
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked.length).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives up in time, or when the watcher is gone', async () => {
    const { readNews } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const runId = newId('run')
    const late = watcher.next({ tenantId, runId, after: 0 }, { ...patient, withinMs: 500 })
    const gone = new AbortController()
    const left = watcher.ended({ tenantId, runId, after: 0 }, { ...patient, signal: gone.signal })
    const never = watcher.next(
      { tenantId, runId, after: 0 },
      { ...patient, signal: AbortSignal.abort() },
    )
    expect(await never).toEqual([])
    await vi.advanceTimersByTimeAsync(600)
    expect(await late).toEqual([])
    gone.abort()
    expect(await left).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('knows the end of a run from the moves before it', async () => {
    const { readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const runId = newId('run')
    const ended = watcher.ended({ tenantId, runId, after: 0 }, patient)
    happen(runId, event(1, 'run.queued'), event(2, 'run.parked'))
    await vi.advanceTimersByTimeAsync(300)
    happen(runId, event(3, 'run.failed'))
    await vi.advanceTimersByTimeAsync(300)
    expect(await ended).toBe(true)
  })

  it('goes on after the database failed', async () => {
    const { readNews, happen } = createRuns()
    let failures = 3
    const watcher = createRunWatcher(
      (watched) => (failures-- > 0 ? Promise.reject(new Error('away')) : readNews(watched)),
      log,
    )
    const runId = newId('run')
    const waiting = watcher.next({ tenantId, runId, after: 0 }, patient)
    happen(runId, event(1))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await waiting).toEqual([event(1)])
    expect(warnings).toHaveLength(3)
  })
})

describe('a stream', () => {
  const collect = async (stream: AsyncIterable<string>) => {
    let text = ''
    for await (const piece of stream) text += piece
    return text
  }

  it('is the backlog, then the news, then over', async () => {
    const { readNews, happen } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const runId = newId('run')
    const watched = { tenantId, runId, after: 0 }
    const options = { heartbeatMs: 100, signal: alive }
    const reading = collect(eventStream(watcher, watched, [event(1)], false, options))
    await vi.advanceTimersByTimeAsync(150)
    happen(runId, event(1), event(2), event(3, 'run.cancelled'))
    await vi.advanceTimersByTimeAsync(150)
    const text = await reading
    expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(['1', '2', '3'])
    expect(text).toContain(': nothing new\n\n')
    expect(text.startsWith('retry: 1000\n\n')).toBe(true)
  })

  it('reads on only when it is read from', async () => {
    const { asked, readNews } = createRuns()
    const watcher = createRunWatcher(readNews, log)
    const watched = { tenantId, runId: newId('run'), after: 0 }
    const options = { heartbeatMs: 100, signal: alive }
    const stream = eventStream(watcher, watched, [event(1)], false, options)
    await stream.next()
    await stream.next()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(asked).toEqual([])
    await stream.return(undefined)
  })
})
