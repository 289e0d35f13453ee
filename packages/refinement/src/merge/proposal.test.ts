import type { Finding, OutlineElement } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { inPlace, treeKind, type Tree } from '../diff/testing/trees.ts'
import type { Judgement } from './judgement.ts'
import type { Variant } from './merge.ts'
import { takeProposal } from './proposal.ts'

const element = (id: string, text: string): OutlineElement => ({
  level: 'item',
  id,
  parentId: null,
  value: { text },
})

/** Each `good` is worth 0.1, each `bad` a finding that costs nothing. */
function judge(document: Tree): Judgement {
  const says = (word: string) =>
    document.filter(({ value }) => String(value['text']).includes(word))
  const findings = says('bad').map(({ path }): Finding => ({
    code: 'UNGROUNDED',
    severity: 'warning',
    path,
    message: 'is bad',
  }))
  return { score: 0.5 + says('good').length / 10, findings }
}
const variant = (id: string, ...elements: OutlineElement[]): Variant<Tree> => {
  const content = inPlace(elements)
  return { id, content, depth: 1, ...judge(content) }
}

const base = inPlace([element('a', 'one'), element('b', 'two')])
const x = variant('x', element('a', 'good one'), element('b', 'two'))
const y = variant('y', element('a', 'one'), element('b', 'bad two'))
const take = (elements: OutlineElement[], parents: string[]) =>
  takeProposal({ kind: treeKind, judge }, base, [x, y], { elements, parents })

describe('a merge that somebody else proposes', () => {
  it('is taken where it scores as much as the best of its parents, and has no finding of its own', () => {
    const equal = [element('a', 'good one'), element('b', 'two')]
    expect(take(equal, ['y', 'x'])).toMatchObject({ score: 0.6, parents: ['x', 'y'], findings: [] })
    const better = [element('a', 'good one'), element('b', 'good two')]
    expect(take(better, ['x', 'y'])).toMatchObject({ score: 0.7, content: inPlace(better) })
  })

  it('may have a finding that one of its parents has', () => {
    const same = [element('a', 'good one'), element('b', 'bad two')]
    expect(take(same, ['x', 'y'])?.findings).toHaveLength(1)
  })

  it.each([
    ['scores less than one of its parents', [element('a', 'one'), element('b', 'two')], ['x', 'y']],
    ['adds a finding', [element('a', 'good but bad one'), element('b', 'good two')], ['x', 'y']],
    ['has one parent', [element('a', 'good'), element('b', 'good')], ['x']],
    ['has a parent that nobody knows', [element('a', 'good'), element('b', 'good')], ['x', 'z']],
  ])('is not taken where it %s', (_, elements, parents) => {
    expect(take(elements, parents)).toBeUndefined()
  })
})
