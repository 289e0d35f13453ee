import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixturePackage } from '../fixtures/package.ts'
import { fixtureDraft } from '../fixtures/report.ts'
import { visibleText } from '@almanac/domain'
import { readReport } from './read.ts'
import { reportContent, type ReportDraft } from './schema.ts'

const draft = fixtureDraft(fixturePackage())
const read = (answer: unknown) => readReport([answer])

const changed = (change: (draft: ReportDraft) => unknown): ReportDraft => {
  const copy = structuredClone(draft)
  change(copy)
  return copy
}

const idsOf = (answer: ReportDraft): string[] =>
  read(answer).content?.sections.flatMap(({ items }) => items.map(({ id }) => id)) ?? []

describe('reading an answer', () => {
  it('takes a value or its JSON text, and gives content of the stored schema', () => {
    const { content, findings } = read(draft)
    expect(findings).toEqual([])
    expect(reportContent.parse(content)).toEqual(content)
    expect(read(JSON.stringify(draft)).content).toEqual(content)
  })

  it('names each misfit by its JSON pointer, with what was expected and found', () => {
    const answer: unknown = {
      summary: [{ text: 7, evidence: [] }],
      sections: [
        {
          deliverable: 'a',
          quiet: 'no',
          items: [{ ...draft.sections[0]?.items[0], kind: 'rumour' }],
        },
      ],
      'a/b~c': 1,
    }
    const { findings } = read(answer)
    expect(findings.map(({ path, expected, found }) => ({ path, expected, found }))).toEqual([
      { path: '/summary/0/text', expected: 'string', found: '7' },
      { path: '/sections/0/quiet', expected: 'boolean', found: '"no"' },
      {
        path: '/sections/0/items/0/kind',
        expected: 'fact, interpretation, implication',
        found: '"rumour"',
      },
      {
        path: '',
        expected: 'no others',
        found: 'an object with the fields "summary", "sections", "a/b~c"',
      },
    ])
    expect(findings.every(({ code }) => code === 'SCHEMA_INVALID')).toBe(true)
  })

  it('says no more than fifty things of an answer that is something else', () => {
    const { findings } = read({ summary: Array(500).fill(0), sections: [] })
    expect(findings).toHaveLength(51)
    expect(findings.at(-1)?.message).toBe('450 more parts of the answer do not fit the schema')
  })

  it('refuses blank statements and text that cannot be stored', () => {
    const answer = changed(({ summary, sections }) => {
      Object.assign(summary[0] ?? {}, { text: ' \n ' })
      Object.assign(sections[0]?.items[0] ?? {}, { text: 'a\u0000b', region: '\ud800' })
    })
    expect(read(answer).findings.map(({ path, found }) => [path, found])).toEqual([
      ['/summary/0/text', '""'],
      ['/sections/0/items/0/text', '"a\\u0000b"'],
      ['/sections/0/items/0/region', '"\\ud800"'],
    ])
  })

  it('reads one answer, no more and no fewer', () => {
    expect(readReport([]).findings[0]).toMatchObject({ expected: '1', found: '0' })
    expect(readReport([draft, draft]).findings[0]).toMatchObject({ expected: '1', found: '2' })
  })

  it('makes white space one space', () => {
    const answer = changed(
      ({ summary: [line] }) => line && (line.text = '  One\n\tline\u00a0here. '),
    )
    expect(read(answer).content?.summary[0]?.text).toBe('One line here.')
  })

  it('never throws, and gives findings that can be stored, whatever comes', () => {
    const anything = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true }),
      fc.string({ unit: 'binary' }),
      fc.record({ summary: fc.anything(), sections: fc.array(fc.anything()) }),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
    )
    fc.assert(
      fc.property(anything, (answer) => {
        const { findings } = read(answer)
        const texts = findings.flatMap(({ path, message, expected = '', found = '' }) => [
          ...[path, message, expected, found],
        ])
        expect(texts.filter((text) => visibleText(text) !== text)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('item ids', () => {
  it('are the same for the same item, whatever stands around it', () => {
    const ids = idsOf(draft)
    expect(ids[0]).toBe('i0938de3d351c')
    const turned = changed(({ sections }) => sections.forEach(({ items }) => items.reverse()))
    expect(idsOf(turned).toSorted()).toEqual(ids.toSorted())
    const fewer = changed(({ sections }) => sections[0]?.items.shift())
    expect(ids).toEqual(expect.arrayContaining(idsOf(fewer)))
  })

  it('do not depend on the order or repetition of citations', () => {
    const two = changed(({ sections }) => sections[0]?.items[0]?.evidence.push('x/2'))
    const turned = structuredClone(two)
    turned.sections[0]?.items[0]?.evidence.reverse().push('x/2')
    expect(idsOf(turned)).toEqual(idsOf(two))
    expect(idsOf(two)[0]).not.toBe(idsOf(draft)[0])
  })

  it('are unique, even of items that repeat each other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 30 }), (picks) => {
        const repeated = changed(({ sections }) => {
          const all = sections.flatMap(({ items }) => items)
          for (const section of sections)
            section.items = picks.flatMap((pick) => all[pick % all.length] ?? [])
        })
        const ids = idsOf(repeated)
        expect(new Set(ids).size).toBe(ids.length)
        for (const id of ids) expect(id).toMatch(/^i[0-9a-f]{12}$/)
      }),
      { numRuns: 50 },
    )
  })
})
