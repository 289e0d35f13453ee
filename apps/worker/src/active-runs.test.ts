import { newId } from '@almanac/domain/ids'
import { describe, expect, it } from 'vitest'
import { createActiveRuns, watchCancels } from './active-runs.ts'

describe('active runs', () => {
  it('aborts all jobs of a run, and no others', () => {
    const active = createActiveRuns()
    const [one, other] = [newId('run'), newId('run')]
    const [first, second, third] = [active.enter(one), active.enter(one), active.enter(other)]
    expect(active.ids()).toEqual([one, other])
    active.abort([one], new Error('cancelled'))
    expect([first, second, third].map(({ signal }) => signal.aborted)).toEqual([true, true, false])
    first.leave()
    second.leave()
    expect(active.ids()).toEqual([other])
  })

  it('starts nothing once all were aborted', () => {
    const active = createActiveRuns()
    active.abortAll(new Error('the lease is lost'))
    const { signal } = active.enter(newId('run'))
    expect(signal.reason).toEqual(new Error('the lease is lost'))
  })

  it('asks about running runs only', async () => {
    const active = createActiveRuns()
    const asked: string[][] = []
    const marks = {
      markStart: () => Promise.resolve(),
      cancelling: (ids: readonly `run_${string}`[]) => {
        asked.push([...ids])
        return Promise.resolve(ids.slice(0, 1))
      },
    }
    const { pass } = watchCancels(active, marks)
    const { signal } = new AbortController()
    await pass(signal)
    expect(asked).toEqual([])
    const [one, two] = [active.enter(newId('run')), active.enter(newId('run'))]
    await pass(signal)
    expect(asked).toEqual([active.ids()])
    expect([one.signal.aborted, two.signal.aborted]).toEqual([true, false])
  })
})
