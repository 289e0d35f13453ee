import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { circular, cycles, topologicalOrder } from './graph.ts'

const graph = fc
  .array(fc.tuple(fc.nat(9), fc.uniqueArray(fc.nat(9), { maxLength: 3 })), { maxLength: 12 })
  .map((pairs) => new Map(pairs.map(([key, before]) => [`k${key}`, before.map((b) => `k${b}`)])))

describe('the order of dependencies', () => {
  it('puts each key after what it depends on, and leaves nothing out but what waits for a cycle', () => {
    fc.assert(
      fc.property(graph, (dependencies) => {
        const order = topologicalOrder(dependencies)
        order.forEach((key, i) => {
          for (const before of dependencies.get(key) ?? [])
            if (dependencies.has(before)) expect(order.slice(0, i)).toContain(before)
        })
        const stuck = [...dependencies.keys()].filter((key) => !order.includes(key))
        expect(stuck.length > 0).toBe(cycles(dependencies).length > 0)
        for (const key of circular(dependencies)) expect(stuck).toContain(key)
      }),
    )
  })

  it('is stable: without dependencies it is the order in which the keys are named', () => {
    const keys = ['c', 'a', 'b']
    expect(topologicalOrder(new Map(keys.map((key) => [key, []])))).toEqual(keys)
    expect(
      topologicalOrder(
        new Map([
          ['c', ['b']],
          ['a', []],
          ['b', []],
        ]),
      ),
    ).toEqual(['a', 'b', 'c'])
  })

  it('names a cycle by its shortest way round, and what depends on itself', () => {
    const dependencies = new Map([
      ['a', ['b']],
      ['b', ['c', 'a']],
      ['c', ['a']],
      ['d', ['d']],
      ['e', ['a', 'nobody']],
    ])
    expect(cycles(dependencies)).toEqual([['a', 'b'], ['c', 'a', 'b'], ['d']])
    expect(circular(dependencies)).toEqual(['a', 'b', 'c', 'd'])
  })
})
