import { mergeStrategies, type Finding, type OutlineElement } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyTree, inPlace, treeKind, type Tree } from '../diff/testing/trees.ts'
import type { Judgement } from './judgement.ts'
import { merge, type MergeOptions, type Variant } from './merge.ts'

const element = (id: string, text: string, over: Partial<OutlineElement> = {}): OutlineElement => ({
  level: 'item',
  id,
  parentId: null,
  value: { text },
  ...over,
})
const tree = (...elements: Parameters<typeof inPlace>[0]): Tree => inPlace(elements)
const textsOf = (document: Tree) =>
  Object.fromEntries(document.map(({ id, value }) => [id, value['text']]))

const warning = (path: string): Finding => ({
  code: 'UNGROUNDED',
  severity: 'warning',
  path,
  message: 'is not grounded',
})

/** A word `bad` is a finding, `good` is worth something: a judge of nothing but the text. */
function judge(document: Tree): Judgement {
  const text = (one: Tree[number]) => JSON.stringify(one.value)
  const findings = document
    .filter((one) => text(one).includes('bad'))
    .map((one) => warning(one.path))
  const good = document.filter((one) => text(one).includes('good')).length
  return { score: Math.max(0, Math.min(1, 0.5 + 0.1 * good - 0.1 * findings.length)), findings }
}

const variant = (id: string, content: Tree, depth = 1): Variant<Tree> => ({
  id,
  content,
  depth,
  ...judge(content),
})

const merged = (base: Tree, variants: Variant<Tree>[], options: Partial<MergeOptions> = {}) =>
  merge({ kind: treeKind, judge }, base, variants, { decay: 0.05, ...options })

const base = tree(element('a', 'one'), element('b', 'two'), element('c', 'three'))

describe('merge', () => {
  it('takes what one side changed, added, deleted and moved', () => {
    const x = tree(element('a', 'good one'), element('b', 'two'), element('c', 'three'))
    const y = tree(element('c', 'three'), element('a', 'one'), element('d', 'good four'))
    const result = merged(base, [variant('x', x), variant('y', y)])
    expect(result.content.map(({ id }) => id)).toEqual(['c', 'a', 'd'])
    expect(textsOf(result.content)).toEqual({ a: 'good one', c: 'three', d: 'good four' })
    expect(result).toMatchObject({ parents: ['x', 'y'], conflicts: [], leftOut: [], score: 0.7 })
  })

  it('takes of two changes the one with the higher component score, and lists the conflict', () => {
    const x = tree(element('a', 'bad but good'), element('b', 'good'), element('c', 'good'))
    const y = tree(element('a', 'good and longer than the other'), ...base.slice(1))
    const result = merged(base, [variant('x', x), variant('y', y)])
    expect(textsOf(result.content)['a']).toBe('good and longer than the other')
    expect(result.conflicts).toEqual([
      {
        id: 'a',
        level: 'item',
        about: 'changed',
        sides: [['x'], ['y']],
        scores: [0.5, 1],
        lengths: [23, 41],
        taken: ['y'],
      },
    ])
    expect(result.findings).toEqual([])
  })

  it('takes the shorter of two that score alike, and a change rather than a deletion', () => {
    const x = tree(
      element('a', 'a long way to say it'),
      element('b', 'changed'),
      element('c', 'good'),
    )
    const y = tree(element('a', 'short'), element('c', 'three'))
    const result = merged(base, [variant('x', x), variant('y', y)])
    expect(textsOf(result.content)).toEqual({ a: 'short', b: 'changed', c: 'good' })
    expect(result.conflicts.map(({ id, about, taken }) => [id, about, taken])).toEqual([
      ['a', 'changed', ['y']],
      ['b', 'deleted', ['x']],
    ])
  })

  it('sees one element in what two versions reworded or added on one topic', () => {
    const about = (id: string, text: string) => ({ ...element(id, text), topics: ['t'] })
    const result = merged(tree(about('old', 'old')), [
      variant('x', tree(about('new1', 'a good long wording'))),
      variant('y', tree(about('new2', 'good words'))),
    ])
    expect(result.content.map(({ value }) => value['text'])).toEqual(['good words'])
    const added = merged(tree(), [
      variant('x', tree(about('new1', 'a good long wording'))),
      variant('y', tree(about('new2', 'good words'))),
    ])
    expect(added.content.map(({ value }) => value['text'])).toEqual(['good words'])
    expect(added.conflicts).toMatchObject([{ id: 'new1', about: 'added', taken: ['y'] }])
  })

  it('brings back what one side deleted when the other’s change stays in it', () => {
    const section = element('s', 'section', { level: 'section' })
    const inside = (text: string) => element('i', text, { parentId: 's' })
    const result = merged(tree(section, inside('one'), element('a', 'one')), [
      variant('x', tree(element('a', 'good'))),
      variant('y', tree(section, inside('good'), element('a', 'one'))),
    ])
    expect(textsOf(result.content)).toEqual({ s: 'section', i: 'good', a: 'good' })
  })

  it('refuses a document that scores less than a parent, or has a finding of neither', () => {
    const score = (document: Tree): Judgement => {
      const ids = document.map(({ id }) => id).join('')
      const judgement = judge(document)
      if (ids === 'abcde') return { ...judgement, score: 0.1 }
      if (ids === 'abcdf') return { score: 1, findings: [warning('/3')] }
      return judgement
    }
    const added = (id: string, text = 'good') => variant(id, tree(...base, element(id, text)))
    const ports = { kind: treeKind, judge: score }
    const lower = merge(ports, base, [added('d', 'good'), added('e', 'plain')], { decay: 0 })
    expect(lower).toMatchObject({ parents: ['d'], score: 0.6 })
    expect(lower.leftOut).toMatchObject([{ id: 'e', reason: 'lower_score', score: 0.1 }])
    const worse = merge(ports, base, [added('d'), added('f')], { decay: 0 })
    expect(worse).toMatchObject({ parents: ['d'], findings: [] })
    expect(worse.leftOut).toMatchObject([
      { id: 'f', reason: 'new_findings', newFindings: [{ code: 'UNGROUNDED', path: '/3' }] },
    ])
  })

  it.each([
    [0.59, ['d']],
    [0.6, ['d', 'e']],
    [0.61, ['d', 'e']],
  ])('of two parents of 0.6 becomes one of %d only if that is no less: %j', (score, parents) => {
    const judging = (document: Tree): Judgement => ({
      ...judge(document),
      score: document.length === base.length + 2 ? score : 0.6,
    })
    const [d, e] = ['d', 'e'].map((id) => ({
      ...variant(id, tree(...base, element(id, 'good'))),
      score: 0.6,
    }))
    if (!d || !e) throw new Error('two variants are wanted')
    const result = merge({ kind: treeKind, judge: judging }, base, [d, e], { decay: 0 })
    expect(result.parents).toEqual(parents)
    expect(result.leftOut.map(({ reason }) => reason)).toEqual(score < 0.6 ? ['lower_score'] : [])
  })

  it('merges in the order of effective score: depth costs, ids decide among equals', () => {
    const same = (id: string, text: string, depth: number) =>
      variant(id, tree(element('a', text), ...base.slice(1)), depth)
    const parents = (variants: Variant<Tree>[]) => merged(base, variants).parents
    expect(parents([same('y', 'good', 1), same('x', 'good', 1)])).toEqual(['x', 'y'])
    expect(parents([same('x', 'good', 3), same('y', 'good', 1)])).toEqual(['y', 'x'])
  })

  it('adds, and prefers the longer text, where it is told to be additive', () => {
    const x = tree(
      element('a', 'short', { value: { text: 'short', note: 'mine' } }),
      element('d', 'good'),
    )
    const y = tree(
      element('a', 'a longer text', { value: { text: 'a longer text', more: { deep: 'yes' } } }),
      element('e', 'new'),
    )
    const result = merged(base, [variant('x', x), variant('y', y)], { strategy: 'additive' })
    const byId = new Map(result.content.map(({ id, value }) => [id, value]))
    expect(byId.get('a')).toEqual({ text: 'a longer text', note: 'mine', more: { deep: 'yes' } })
    expect([...byId.keys()].sort()).toEqual(['a', 'd', 'e'])
    expect(result.conflicts).toMatchObject([{ id: 'a', taken: ['y'] }])
  })

  it('has nothing to make of no variants, and changes nothing of one', () => {
    expect(() => merged(base, [])).toThrow(/nothing to merge/)
    expect(merged(base, [variant('x', base)])).toMatchObject({ content: base, parents: ['x'] })
  })

  describe.each(mergeStrategies)('%s, of any versions', (strategy) => {
    const worlds = fc.tuple(
      anyTree,
      fc.array(fc.tuple(anyTree, fc.nat(3)), { minLength: 1, maxLength: 4 }),
    )
    const variantsOf = (trees: readonly (readonly [Tree, number])[]) =>
      trees.map(([content, depth], i) => ({
        ...variant(`v${i}`, content, depth),
        score: scoreOf(content),
      }))
    /** Any score will do, as long as it is the document's. */
    const scoreOf = (content: Tree) => (JSON.stringify(content).length % 17) / 17
    const judgeAny = (content: Tree): Judgement => ({ ...judge(content), score: scoreOf(content) })
    const mergeAny = (ancestor: Tree, variants: Variant<Tree>[]) =>
      merge({ kind: treeKind, judge: judgeAny }, ancestor, variants, { strategy, decay: 0.05 })

    it('does not depend on the order in which they arrive', () => {
      fc.assert(
        fc.property(
          worlds.chain(([ancestor, trees]) =>
            fc.tuple(
              fc.constant(ancestor),
              fc.constant(variantsOf(trees)),
              fc.shuffledSubarray(variantsOf(trees), { minLength: trees.length }),
            ),
          ),
          ([ancestor, variants, shuffled]) => {
            expect(mergeAny(ancestor, shuffled)).toEqual(mergeAny(ancestor, variants))
          },
        ),
      )
    })

    it('is never below a parent, and has no finding of nobody', () => {
      fc.assert(
        fc.property(worlds, ([ancestor, trees]) => {
          const variants = variantsOf(trees)
          const result = mergeAny(ancestor, variants)
          expect(result.score).toBe(scoreOf(result.content))
          for (const { score } of variants) expect(result.score).toBeGreaterThanOrEqual(score)
          const known = new Set(variants.flatMap((one) => one.findings.map(() => 'finding')))
          if (known.size === 0) expect(result.findings).toEqual([])
          const ids = [...result.parents, ...result.leftOut.map(({ id }) => id)]
          expect(ids.sort()).toEqual(variants.map(({ id }) => id))
        }),
      )
    })

    it('lists every element that two versions say otherwise than the ancestor and each other', () => {
      const always = (): Judgement => ({ score: 1, findings: [] })
      fc.assert(
        fc.property(anyTree, anyTree, anyTree, (ancestor, x, y) => {
          const variants = [x, y].map((content, i) => ({
            ...variant(`v${i}`, content),
            ...always(),
          }))
          const result = merge({ kind: treeKind, judge: always }, ancestor, variants, {
            strategy,
            decay: 0,
          })
          const said = (document: Tree, id: string) => {
            const one = document.find((candidate) => candidate.id === id)
            return one && canonical([one.level, one.value])
          }
          const ids = new Set([...x, ...y].map(({ id }) => id))
          const expected = [...ids].filter((id) => {
            const [b, mine, other] = [said(ancestor, id), said(x, id), said(y, id)]
            return strategy === 'additive'
              ? mine !== undefined && other !== undefined && mine !== other
              : mine !== other && mine !== b && other !== b
          })
          const listed = result.conflicts
            .filter(({ about }) => about !== 'place' && about !== 'order')
            .map(({ id }) => id)
          expect(listed.sort()).toEqual(expected.sort())
        }),
      )
    })
  })
})

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))
      : one,
  )
