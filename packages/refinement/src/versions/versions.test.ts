import type { Evaluation, Finding, OutlineElement } from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDiff } from '../diff/diff.ts'
import { inPlace, treeKind, type Tree } from '../diff/testing/trees.ts'
import {
  createChildVersion,
  underLabelOf,
  type Version,
  type VersionMetadata,
} from './child-version.ts'
import { merge } from '../merge/merge.ts'
import { nextChildVersion, nextChildVersions } from './labels.ts'

describe('labels', () => {
  it('count siblings, and merges apart', () => {
    expect(nextChildVersion('1', [])).toBe('1.1')
    expect(nextChildVersion('1', ['1.1', '1.2', '1.m', '1.2.7'])).toBe('1.3')
    expect(nextChildVersion('1', ['1.9', '1.10'])).toBe('1.11')
    expect(nextChildVersion('1', ['1.1', '1.1.m'], { merged: true })).toBe('1.m')
    expect(nextChildVersion('1', ['1.m'], { merged: true })).toBe('1.m2')
    expect(nextChildVersion('1', ['1.m', '1.m2', '1.m2.m9'], { merged: true })).toBe('1.m3')
    expect(nextChildVersion('1.m', [], { merged: true })).toBe('1.m.m')
    expect(nextChildVersion('1.m', ['1.1', '1.m2'])).toBe('1.m.1')
    expect(nextChildVersions('1', ['1.1'], 3)).toEqual(['1.2', '1.3', '1.4'])
  })

  it('are never one that a sibling has, and do not depend on the order of siblings', () => {
    const label = fc.stringMatching(/^1(\.(m?\d{0,2})){1,2}$/)
    fc.assert(
      fc.property(fc.uniqueArray(label, { maxLength: 12 }), fc.boolean(), (taken, merged) => {
        const next = nextChildVersion('1', taken, { merged })
        expect(taken).not.toContain(next)
        expect(nextChildVersion('1', [...taken].reverse(), { merged })).toBe(next)
      }),
    )
  })

  it('are unique among siblings that writers make at once, when who is refused asks again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }), (turns) => {
        // Each writer has read the labels at some time before; the unique key takes the first only.
        const stored = new Set<string>()
        const seen = new Map<number, string[]>()
        for (const writer of turns) {
          const label = nextChildVersion('1', seen.get(writer) ?? [])
          if (stored.has(label)) seen.set(writer, [...stored])
          else stored.add(label)
        }
        expect([...stored]).toEqual(nextChildVersions('1', [], stored.size))
      }),
    )
  })
})

const head = (value: OutlineElement['value']): OutlineElement => ({
  level: 'metadata',
  id: 'head',
  parentId: null,
  value,
})
const item = (id: string, text: string): OutlineElement => ({
  level: 'item',
  id,
  parentId: null,
  value: { text },
})
const finding = (path: string, found: string): Finding => ({
  code: 'TOO_LONG',
  severity: 'warning',
  path,
  message: `has ${found} characters`,
})
const evaluation = (score: number, reasons: string[]): Evaluation => ({
  score,
  metrics: [{ name: 'concision', weight: 1, value: score, reasons }],
})

const content: Tree = inPlace([head({ id: 'doc', version: '1', title: 'T' }), item('a', 'long')])
const first: Version<Tree, VersionMetadata & { title: string }> = {
  id: 'ver_1',
  label: '1',
  parents: [],
  depth: 0,
  content,
  evaluation: evaluation(0.5, ['item 1: 90 words', 'item 2: 80 words']),
  findings: [finding('/1', '90'), finding('/0', '7')],
  metadata: { documentId: 'doc_1', version: '1', contentHash: 'x', score: 0.5, title: 'T' },
}

describe('createChildVersion', () => {
  const proposed: Tree = inPlace([
    head({ id: 'other', version: '9', title: 'New' }),
    item('a', 'short'),
  ])
  const child = createChildVersion(treeKind, first, {
    id: 'ver_2',
    content: proposed,
    taken: ['1.1'],
    evaluation: evaluation(0.8, ['item 2: 80 words']),
    findings: [finding('/0', '7')],
  })

  it('keeps the document’s id, and sets version and metadata, in record and content', () => {
    expect(child).toMatchObject({ label: '1.2', parents: ['ver_1'], depth: 1, scoreDelta: 0.3 })
    expect(child.content[0]?.value).toEqual({ id: 'doc', version: '1.2', title: 'New' })
    expect(child.metadata).toEqual({
      documentId: 'doc_1',
      version: '1.2',
      contentHash: hashOf(child.content),
      score: 0.8,
      title: 'T',
    })
    expect(first.metadata.version).toBe('1')
  })

  it('stores what changed, and names the findings that the gain closed', () => {
    expect(applyDiff(treeKind, first.content, child.diff)).toEqual(child.content)
    expect(child.gain).toEqual({
      score: 0.3,
      closed: [finding('/1', '90')],
      opened: [],
      metrics: [
        { name: 'concision', before: 0.5, after: 0.8, closed: ['item 1: 90 words'], opened: [] },
      ],
    })
  })

  it('labels what was merged as such, and refuses versions of another document', () => {
    const mergedOf = [
      { id: 'ver_2', metadata: { documentId: 'doc_1' } },
      { id: 'ver_3', metadata: { documentId: 'doc_1' } },
    ]
    const made = { ...child, id: 'ver_4', content: proposed, taken: ['1.1', '1.2'] }
    const merged = createChildVersion(treeKind, first, { ...made, mergedOf })
    expect(merged).toMatchObject({ label: '1.m', parents: ['ver_2', 'ver_3'], depth: 1 })
    const foreign = [...mergedOf, { id: 'ver_9', metadata: { documentId: 'doc_9' } }]
    expect(() => createChildVersion(treeKind, first, { ...made, mergedOf: foreign })).toThrow(
      /ver_9 is one of doc_9/,
    )
  })
})

describe('underLabelOf', () => {
  const judge = () => ({ score: 1, findings: [] })
  const variant = (id: string, title: string, text: string) => {
    const proposed = inPlace([head({ id: 'doc', version: '1', title }), item('a', text)])
    const made = { id, content: proposed, taken: [], evaluation: first.evaluation, findings: [] }
    return createChildVersion(treeKind, first, made)
  }
  const merged = (under: boolean) => {
    const variants = [variant('v1', 'T', 'short'), variant('v2', 'A better title', 'long')]
    return merge(
      { kind: treeKind, judge },
      content,
      variants.map(({ id, depth, content: own }) => ({
        ...{ id, depth, ...judge() },
        content: under ? underLabelOf(treeKind, content, own) : own,
      })),
      { decay: 0 },
    )
  }

  it('lets a merge take from each version what it changed, since a label is no change', () => {
    const { content: both, conflicts } = merged(true)
    expect(conflicts).toEqual([])
    expect(both[0]?.value).toEqual({ id: 'doc', version: '1', title: 'A better title' })
    expect(both[1]?.value).toEqual({ text: 'short' })
    expect(merged(false).conflicts).toHaveLength(1)
  })

  it('leaves documents alone that hold no label', () => {
    const plain = inPlace([item('a', 'long')])
    expect(underLabelOf(treeKind, plain, content)).toBe(content)
  })
})
