import { AlmanacError } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { groupCalls } from './group-calls.ts'

/** A flush that records its batches and does as `answer` says. */
function recorder(answer: (item: string, batch: readonly string[]) => string) {
  const batches: string[][] = []
  const flush = async (items: readonly string[]) => {
    batches.push([...items])
    await Promise.resolve()
    return items.map((item) => answer(item, items))
  }
  return { batches, flush }
}

const deadlock = Object.assign(new Error('deadlock'), { code: '40P01' })

describe('grouped calls', () => {
  it('of one turn go together, those that come meanwhile after them', async () => {
    const { batches, flush } = recorder((item) => item.toUpperCase())
    const call = groupCalls(flush)
    const first = Promise.all([call('a'), call('b')])
    const later = first.then(() => Promise.all([call('c'), call('d')]))
    expect(await first).toEqual(['A', 'B'])
    expect(await later).toEqual(['C', 'D'])
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  it('are cut at the maximum', async () => {
    const { batches, flush } = recorder((item) => item)
    const call = groupCalls(flush, { max: 2 })
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(call))
    expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  it('are cut where they would weigh too much together; one that does alone goes alone', async () => {
    const { batches, flush } = recorder((item) => item)
    const call = groupCalls(flush, { max: 3, weigh: (item) => item.length, mostWeight: 5 })
    await Promise.all(['aa', 'bbb', 'c', 'dddddddd', 'e', 'f', 'g', 'h'].map(call))
    expect(batches).toEqual([['aa', 'bbb'], ['c'], ['dddddddd'], ['e', 'f', 'g'], ['h']])
  })

  it('go beside the batch under way when a crowd waits, items of one key never in both', async () => {
    const { promise: release, resolve } = Promise.withResolvers<undefined>()
    const batches: string[][] = []
    const flush = async (items: readonly string[]) => {
      batches.push([...items])
      await release
      return items
    }
    const call = groupCalls(flush, { max: 3, beside: { crowd: 3, keyOf: ([key = '']) => key } })
    const turn = () => new Promise((next) => setTimeout(next, 5))
    const first = ['a1', 'b1', 'c1', 'a2']
    const crowd = ['d1', 'e1', 'f1', 'g1', 'h1', 'i1']
    const asked = first.map(call)
    await turn()
    // Who waits is no crowd yet.
    expect(batches).toEqual([['a1', 'b1', 'c1']])
    asked.push(...crowd.map(call))
    await turn()
    expect(batches).toEqual([
      ['a1', 'b1', 'c1'],
      ['d1', 'e1', 'f1'],
    ])
    resolve(undefined)
    expect(await Promise.all(asked)).toEqual([...first, ...crowd])
    expect(batches.flat().sort()).toEqual([...first, ...crowd].sort())
  })

  it('of one key only wait for the batch that has it', async () => {
    const { batches, flush } = recorder((item) => item)
    const items = ['a', 'b', 'c', 'd', 'e']
    const call = groupCalls(flush, { max: 2, beside: { crowd: 2, keyOf: () => 'same' } })
    expect(await Promise.all(items.map(call))).toEqual(items)
    expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  it('reject only the culprit', async () => {
    const { flush } = recorder((item, batch) => {
      if (batch.includes('bad')) throw new Error('bad data')
      return item
    })
    const results = await Promise.allSettled(['a', 'bad', 'c'].map(groupCalls(flush)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('are sent again whole after a deadlock, and not for ever', async () => {
    let deadlocks = 2
    const { batches, flush } = recorder((item) => {
      if (deadlocks-- > 0) throw deadlock
      return item
    })
    expect(await Promise.all(['a', 'b'].map(groupCalls(flush)))).toEqual(['a', 'b'])
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2])
    const hopeless = recorder(() => {
      throw deadlock
    })
    await expect(groupCalls(hopeless.flush)('a')).rejects.toBe(deadlock)
    expect(hopeless.batches).toHaveLength(5)
  })

  it('are all rejected when the connection is lost: nobody knows whether they counted', async () => {
    const lost = new AlmanacError('DATABASE_UNREACHABLE', { where: 'x', reason: 'lost' })
    const { batches, flush } = recorder(() => {
      throw lost
    })
    const results = await Promise.allSettled(['a', 'b'].map(groupCalls(flush)))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(batches).toHaveLength(1)
  })

  it('go on after a failure', async () => {
    let broken = true
    const { flush } = recorder((item) => {
      if (broken) throw new Error('broken')
      return item
    })
    const call = groupCalls(flush)
    await expect(call('a')).rejects.toThrow('broken')
    broken = false
    expect(await call('b')).toBe('b')
  })
})
