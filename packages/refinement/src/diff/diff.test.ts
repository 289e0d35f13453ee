import type { OutlineElement } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDiff, diff } from './diff.ts'
import { anyTree, inPlace, treeKind, type Tree } from './testing/trees.ts'

const between = (a: Tree, b: Tree) => diff(treeKind, a, b)
/** As it comes back from where it was stored. */
const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const element = (id: string, over: Partial<OutlineElement> = {}): OutlineElement => ({
  level: 'item',
  id,
  parentId: null,
  value: { text: `of ${id}` },
  ...over,
})
const tree = (...elements: (OutlineElement & { topics?: string[] })[]): Tree => inPlace(elements)

describe('diff', () => {
  it('makes the one document of the other, and back', () => {
    fc.assert(
      fc.property(anyTree, anyTree, (a, b) => {
        expect(applyDiff(treeKind, a, stored(between(a, b)))).toEqual(b)
        expect(applyDiff(treeKind, b, stored(between(b, a)))).toEqual(a)
      }),
      { numRuns: 500 },
    )
  })

  it('is its own mirror', () => {
    const ids = (changes: ReturnType<typeof between>['changes'], type: string) =>
      changes.filter((change) => change.type === type).map(({ id }) => id)
    fc.assert(
      fc.property(anyTree, anyTree, (a, b) => {
        const [there, back] = [between(a, b).changes, between(b, a).changes]
        expect(ids(back, 'added')).toEqual(ids(there, 'removed'))
        expect(ids(back, 'removed')).toEqual(ids(there, 'added'))
        expect(ids(back, 'changed').sort()).toEqual(ids(there, 'changed').sort())
        expect(ids(back, 'moved')).toHaveLength(ids(there, 'moved').length)
        for (const { id, type, before, after } of there)
          if (type === 'changed')
            expect(back).toContainEqual(
              expect.objectContaining({ id, type, before: after, after: before }),
            )
      }),
    )
  })

  it('is empty only for equal documents', () => {
    fc.assert(
      fc.property(anyTree, anyTree, (a, b) => {
        expect(between(a, stored(a))).toEqual({ changes: [], delta: null })
        const isEqual = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
        expect(between(a, b).delta === null).toBe(isEqual)
        expect(between(a, b).changes.length === 0).toBe(isEqual)
      }),
    )
  })

  it('sees any single element go', () => {
    fc.assert(
      fc.property(anyTree, fc.nat(), (a, n) => {
        const gone = a[n % Math.max(1, a.length)]
        if (!gone) return
        const rest = inPlace(
          a
            .filter(({ id }) => id !== gone.id)
            .map((one) => (one.parentId === gone.id ? { ...one, parentId: gone.parentId } : one)),
        )
        const { changes } = between(a, rest)
        expect(changes.filter(({ type }) => type === 'removed')).toEqual([
          expect.objectContaining({ id: gone.id, level: gone.level, before: gone.value }),
        ])
      }),
    )
  })

  it('names what was added, removed, changed and moved, level by level', () => {
    const before = tree(
      element('head', { level: 'metadata', value: { title: 'Old' } }),
      element('s1', { level: 'section' }),
      element('s2', { level: 'section' }),
      ...['a', 'b', 'c', 'd'].map((id) => element(id, { parentId: 's1' })),
    )
    const after = tree(
      element('head', { level: 'metadata', value: { title: 'New' } }),
      element('s1', { level: 'section' }),
      element('s2', { level: 'section' }),
      element('d', { parentId: 's1' }),
      element('a', { parentId: 's1' }),
      element('b', { parentId: 's2', value: { text: 'of b', note: 1 } }),
      element('e', { parentId: 's2' }),
    )
    const { changes } = between(before, after)
    expect(changes.map(({ type, level, id, fields }) => [type, level, id, fields])).toEqual([
      ['changed', 'metadata', 'head', ['title']],
      ['removed', 'item', 'c', undefined],
      ['moved', 'item', 'd', undefined],
      ['changed', 'item', 'b', ['note']],
      ['moved', 'item', 'b', undefined],
      ['added', 'item', 'e', undefined],
    ])
    expect(changes.find(({ type, id }) => type === 'moved' && id === 'b')).toMatchObject({
      from: { parentId: 's1', place: 1 },
      to: { parentId: 's2', place: 0 },
    })
  })

  it('knows a reworded element by its topic', () => {
    const before = tree({ ...element('i1', { value: { text: 'old' } }), topics: ['x', 'old'] })
    const after = tree({ ...element('i2', { value: { text: 'new' } }), topics: ['x', 'new'] })
    expect(between(before, after).changes).toEqual([
      expect.objectContaining({ type: 'changed', id: 'i1', newId: 'i2', fields: ['text'] }),
    ])
  })

  it('pairs equal topics in the order of the documents', () => {
    const named = (ids: string[]) => tree(...ids.map((id) => ({ ...element(id), topics: ['x'] })))
    const { changes } = between(named(['a', 'b', 'c']), named(['d', 'b', 'e', 'f']))
    expect(changes.map(({ type, id, newId }) => [type, id, newId])).toEqual([
      ['changed', 'a', 'd'],
      ['changed', 'c', 'e'],
      ['added', 'f', undefined],
    ])
  })

  it('refuses to be applied to another document', () => {
    const [a, b] = [tree(element('a')), tree(element('a', { value: { text: 'new' } }))]
    const other = tree(element('a', { value: { text: 'something else' } }))
    expect(() => applyDiff(treeKind, other, between(a, b))).toThrow(/item a is not as it was/)
    expect(() => applyDiff(treeKind, tree(), between(a, b))).toThrow(/item a/)
    expect(() => applyDiff(treeKind, a, between(tree(), a))).toThrow(/item a/)
  })
})

/** A tree whose objects have their keys in one order. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => [key, sorted(one)])
}
