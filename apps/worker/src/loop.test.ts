import type { Leadership } from '@almanac/pipeline'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startLoop, type LeaderLoopWork, type RunningLoop } from './loop.ts'
import { quietLog } from './testing/quiet-log.ts'

/** Leadership as the database gives it: one holder, who can lose it. */
function oneLeader() {
  let holder: AbortController | undefined
  let asked = 0
  const leadership: Leadership = {
    lead: () => {
      asked += 1
      if (holder) return Promise.resolve(undefined)
      const mine = (holder = new AbortController())
      const release = () => {
        if (holder === mine) holder = undefined
        return Promise.resolve()
      }
      return Promise.resolve({ lost: mine.signal, release })
    },
  }
  const lose = () => {
    const lost = holder
    holder = undefined
    lost?.abort()
  }
  return { leadership, lose, asked: () => asked, taken: () => holder !== undefined }
}

const running: RunningLoop[] = []

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(running.splice(0).map((loop) => loop.stop()))
})

function start(
  pass: LeaderLoopWork['pass'],
  given: { everyMs?: number; leadership?: Leadership } = {},
) {
  const log = quietLog()
  const { everyMs = 1_000, leadership } = given
  const work = { name: 'sweep' as const, everyMs, pass }
  const loop = startLoop(leadership ? { ...work, leadership } : work, log)
  running.push(loop)
  return { loop, log }
}

const pass = () => Promise.resolve(false)

/** Takes its time, by the clock that the tests turn. */
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a loop', () => {
  it('makes a pass at once and one every interval', async () => {
    const { loop } = start(pass)
    await vi.advanceTimersByTimeAsync(0)
    expect(loop.passes).toBe(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(loop.passes).toBe(4)
  })

  it('goes on at once while there is more to do', async () => {
    let left = 5
    const { loop } = start(() => Promise.resolve(left-- > 1))
    await vi.advanceTimersByTimeAsync(0)
    expect(loop.passes).toBe(5)
  })

  it('makes one pass for a burst of wakes, within 5 ms', async () => {
    const { loop } = start(pass)
    await vi.advanceTimersByTimeAsync(10)
    for (let i = 0; i < 10; i += 1) loop.wake()
    expect(loop.passes).toBe(1)
    await vi.advanceTimersByTimeAsync(5)
    expect(loop.passes).toBe(2)
    await vi.advanceTimersByTimeAsync(900)
    expect(loop.passes).toBe(2)
  })

  it('passes at once when it has rested, and not again before it has', async () => {
    const { loop } = start(pass)
    await vi.advanceTimersByTimeAsync(10)
    loop.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(loop.passes).toBe(2)
    loop.wake()
    await vi.advanceTimersByTimeAsync(2)
    expect(loop.passes).toBe(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(loop.passes).toBe(3)
  })

  it('does not forget a wake during a pass', async () => {
    const { loop } = start(async () => {
      await sleep(50)
      return false
    })
    await vi.advanceTimersByTimeAsync(10)
    loop.wake()
    await vi.advanceTimersByTimeAsync(95)
    expect(loop.passes).toBe(2)
  })

  it('rests twice as long as a slow pass took, however often it is woken', async () => {
    const { loop } = start(async () => {
      await sleep(50)
      return false
    })
    await vi.advanceTimersByTimeAsync(50)
    loop.wake()
    await vi.advanceTimersByTimeAsync(99)
    loop.wake()
    await vi.advanceTimersByTimeAsync(50)
    expect(loop.passes).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(loop.passes).toBe(2)
  })

  it('tries a failing pass again, at growing rests, and says so each time', async () => {
    let failing = true
    const times: number[] = []
    const { loop, log } = start(() => {
      times.push(Date.now())
      return failing ? Promise.reject(new Error('no database')) : pass()
    })
    await vi.advanceTimersByTimeAsync(60_000)
    const rests = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(rests).toEqual([2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000])
    expect(log.lines).toHaveLength(times.length)
    expect(loop.passes).toBe(0)
    failing = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(loop.passes).toBeGreaterThan(0)
  })

  it('waits for its pass when it stops, and tells it to hurry', async () => {
    let hurried = false
    const { loop } = start(async (signal) => {
      await sleep(100)
      hurried = signal.aborted
      return true
    })
    await vi.advanceTimersByTimeAsync(50)
    const stopped = loop.stop()
    await vi.advanceTimersByTimeAsync(50)
    await stopped
    expect(hurried).toBe(true)
    expect(loop.passes).toBe(1)
  })
})

describe('a loop that one process leads', () => {
  it('passes only in the leader, and the next one takes over', async () => {
    const { leadership, taken } = oneLeader()
    const [one, two] = [start(pass, { leadership }), start(pass, { leadership })]
    await vi.advanceTimersByTimeAsync(5_000)
    expect([one.loop.leading, two.loop.leading]).toEqual([true, false])
    expect(two.loop.passes).toBe(0)
    await one.loop.stop()
    await vi.advanceTimersByTimeAsync(1_000)
    expect([one.loop.leading, two.loop.leading]).toEqual([false, true])
    expect(two.loop.passes).toBeGreaterThan(0)
    await two.loop.stop()
    expect(taken()).toBe(false)
  })

  it('ends its pass when it loses the lead, and asks for it again', async () => {
    const { leadership, lose, asked } = oneLeader()
    const seen: AbortSignal[] = []
    const { loop } = start(
      (signal) => {
        seen.push(signal)
        return pass()
      },
      { leadership, everyMs: 60_000 },
    )
    await vi.advanceTimersByTimeAsync(0)
    lose()
    await vi.advanceTimersByTimeAsync(0)
    expect(seen[0]?.aborted).toBe(true)
    expect(asked()).toBe(2)
    expect(loop.leading).toBe(true)
    expect(loop.passes).toBe(2)
  })

  it('keeps asking when the database cannot be asked', async () => {
    let asked = 0
    const leadership: Leadership = {
      lead: () => {
        asked += 1
        return Promise.reject(new Error('no database'))
      },
    }
    const { loop } = start(pass, { leadership })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(loop.leading).toBe(false)
    expect(asked).toBe(8)
  })
})
