import type { RunPackage } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { industryByHash } from '../fixtures/industry.ts'
import { fixturePackage, fixtureScope } from '../fixtures/package.ts'
import { contentOf, fixtureDraft, fixtureReport } from '../fixtures/report.ts'
import { createReportKind } from './report-kind.ts'
import type { ReportContent, ReportDraft } from './schema.ts'

const kind = createReportKind({ industryByHash })
type DraftItem = ReportDraft['sections'][number]['items'][number]

const evaluate = (content: ReportContent, runPackage: RunPackage) =>
  kind.evaluate(content, runPackage, kind.validate(content, runPackage))
const score = (draft: ReportDraft, runPackage: RunPackage) =>
  evaluate(contentOf(draft), runPackage).score
const metric = (draft: ReportDraft, runPackage: RunPackage, name: string) => {
  const found = evaluate(contentOf(draft), runPackage).metrics.find((one) => one.name === name)
  if (!found) throw new Error(`no metric ${name}`)
  return found
}

/** Reports from empty to full, from clean to spoiled, of packages from small to large. */
const reports = fc
  .record({
    items: fc.integer({ min: 1, max: 24 }),
    room: fc.integer({ min: 2, max: 12 }),
    keep: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    spoil: fc.array(fc.constantFrom('', '', '', ' 987654', ' Alaska', ' <b>'), {
      minLength: 60,
      maxLength: 60,
    }),
  })
  .map(({ items, room, keep, spoil }) => {
    const runPackage = fixturePackage({ items, room })
    const draft = fixtureDraft(runPackage)
    let at = 0
    for (const section of draft.sections) {
      section.items = section.items.flatMap((item) => {
        at += 1
        return keep[at] ? [{ ...item, text: item.text + (spoil[at] ?? '') }] : []
      })
    }
    return { runPackage, draft }
  })

const runs = { numRuns: 60 }

describe('the conformance score', () => {
  it('is 1 of a clean and full report, with nothing to explain', () => {
    const runPackage = fixturePackage()
    const { score: all, metrics } = evaluate(fixtureReport(runPackage), runPackage)
    expect(all).toBe(1)
    expect(metrics.flatMap(({ reasons }) => reasons)).toEqual([])
  })

  it('weighs six metrics whose weights sum to 1', () => {
    const { metrics } = evaluate(fixtureReport(fixturePackage()), fixturePackage())
    expect(metrics.map(({ name }) => name)).toEqual([
      'coverage',
      'grounding',
      'citation',
      'concision',
      'quiet',
      'scope',
    ])
    expect(metrics.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
  })

  it('is 1 of a quiet report of a package without evidence, and falls when that is padded', () => {
    const quiet = fixturePackage({ items: 0 })
    expect(evaluate(fixtureReport(quiet), quiet).score).toBe(1)
    const padded = fixtureDraft(quiet)
    padded.summary.push({ text: 'Still, the outlook is good.', evidence: [] })
    expect(score(padded, quiet)).toBeLessThan(1)
    const invented = fixtureDraft(quiet)
    invented.sections[0]?.items.push({
      kind: 'fact',
      region: 'national',
      link: 'other',
      text: 'Nothing happened.',
      evidence: [],
    })
    expect(score(invented, quiet)).toBeLessThanOrEqual(0.05)
  })

  it('explains what lowered it', () => {
    const runPackage = fixturePackage()
    const draft = fixtureDraft(runPackage)
    draft.sections[0]?.items.splice(0, 1)
    draft.sections[0]?.items.splice(-2)
    const [first] = draft.sections[1]?.items ?? []
    if (first) first.text = 'The limit is 99,999 units.'
    expect(metric(draft, runPackage, 'coverage').reasons).toEqual([
      'Final rules: 7 of 8 cells are reported; not National × Aviation, which has 1 item of evidence',
    ])
    expect(metric(draft, runPackage, 'grounding')).toMatchObject({
      value: 0.9333,
      reasons: [
        'Proposed rules, item 1: the fact of Proposed rules says "99,999", which nothing that it cites holds',
      ],
    })
  })
})

describe('what cannot raise a score', () => {
  const empty = { quiet: true, items: [] as DraftItem[] }
  const sections = fixtureScope.deliverables.map((deliverable) => ({ deliverable, ...empty }))
  const nothing = (text: string, evidence: string[] = []): ReportDraft => ({
    summary: [{ text, evidence }],
    sections,
  })

  it.each([
    ['no summary and no sections', { summary: [], sections: [] }],
    ['quiet everywhere', nothing('A quiet period.')],
    [
      'not quiet, but empty',
      { ...nothing('x'), sections: sections.map((s) => ({ ...s, quiet: false })) },
    ],
    [
      'the same item everywhere',
      {
        ...nothing('Rules were published.'),
        sections: sections.map(({ deliverable }) => ({
          deliverable,
          quiet: false,
          items: [
            {
              kind: 'fact' as const,
              region: 'national',
              link: 'other',
              text: 'Rules were published.',
              evidence: ['register/1'],
            },
          ],
        })),
      },
    ],
  ])('a document that is always the same scores at most 0.05: %s', (_, draft) => {
    for (const items of [1, 5, 30]) {
      const runPackage = fixturePackage({ items })
      expect(score(draft, runPackage)).toBeLessThanOrEqual(0.05)
    }
  })

  it('says hardly anything: a report on one cell of many scores in proportion', () => {
    const runPackage = fixturePackage({ items: 24 })
    const draft = fixtureDraft(runPackage)
    draft.sections.forEach(
      (section, i) => (section.items = i === 0 ? section.items.slice(0, 1) : []),
    )
    expect(score(draft, runPackage)).toBeLessThan(0.15)
  })

  it('repeating items', () => {
    fc.assert(
      fc.property(reports, fc.nat(), fc.nat(), ({ runPackage, draft }, s, i) => {
        const before = score(draft, runPackage)
        const section = draft.sections[s % draft.sections.length]
        const item = section?.items[i % Math.max(1, section.items.length)]
        if (section && item) section.items.splice(i % section.items.length, 0, { ...item })
        expect(score(draft, runPackage)).toBeLessThanOrEqual(before)
      }),
      runs,
    )
  })

  it('padding: more words on what is reported, on nothing, or on what is not there', () => {
    const fillers = (section: ReportDraft['sections'][number]): DraftItem[] => {
      const first = section.items.find(({ text }) => !/987654|Alaska/.test(text))
      const base = { kind: 'implication', region: 'national', link: 'other' } as const
      return [
        { ...base, text: 'More may follow in due course.', evidence: [] },
        { ...base, text: 'More may follow in due course.', evidence: ['register/none'] },
        ...(first
          ? [
              { ...first, text: 'Observers will want to keep an eye on this.' },
              { ...first, kind: 'implication' as const, text: `In other words: ${first.text}` },
            ]
          : []),
      ]
    }
    fc.assert(
      fc.property(reports, fc.nat(), fc.nat(), ({ runPackage, draft }, s, pick) => {
        const before = score(draft, runPackage)
        const section = draft.sections[s % draft.sections.length]
        if (!section) return
        const choices = fillers(section)
        section.items.push(choices[pick % choices.length] ?? (choices[0] as DraftItem))
        expect(score(draft, runPackage)).toBeLessThanOrEqual(before)
      }),
      runs,
    )
  })

  it('padding the summary', () => {
    fc.assert(
      fc.property(reports, fc.boolean(), ({ runPackage, draft }, cites) => {
        const before = score(draft, runPackage)
        const evidence = cites ? [runPackage.evidence[0]?.id ?? ''] : []
        draft.summary.push({ text: 'It was, all in all, an interesting period.', evidence })
        expect(score(draft, runPackage)).toBeLessThanOrEqual(before)
      }),
      runs,
    )
  })

  it('another order of items, lines or citations', () => {
    fc.assert(
      fc.property(reports, fc.infiniteStream(fc.nat()), ({ runPackage, draft }, numbers) => {
        const { score: before, metrics } = evaluate(contentOf(draft), runPackage)
        const shuffled = <T>(list: T[]): T[] =>
          list
            .map((value) => ({ value, key: numbers.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ value }) => value)
        draft.summary = shuffled(draft.summary)
        for (const section of draft.sections) {
          section.items = shuffled(section.items)
          for (const item of section.items) item.evidence = shuffled(item.evidence)
        }
        const after = evaluate(contentOf(draft), runPackage)
        expect(after.score).toBe(before)
        expect(after.metrics.map(({ value }) => value)).toEqual(metrics.map(({ value }) => value))
      }),
      runs,
    )
  })
})

describe('coverage', () => {
  it('never falls when a missing item is added', () => {
    fc.assert(
      fc.property(reports, fc.nat(), ({ runPackage, draft }, pick) => {
        const full = fixtureDraft(runPackage)
        const s = pick % full.sections.length
        const item = full.sections[s]?.items[pick % Math.max(1, full.sections[s].items.length)]
        const before = metric(draft, runPackage, 'coverage').value
        if (item) draft.sections[s]?.items.push(item)
        expect(metric(draft, runPackage, 'coverage').value).toBeGreaterThanOrEqual(before)
      }),
      runs,
    )
  })

  it('asks for no more cells than a section has room for', () => {
    const draft = fixtureDraft(fixturePackage({ items: 24, room: 24 }))
    for (const section of draft.sections) section.items = section.items.slice(0, 3)
    const { value } = metric(draft, fixturePackage({ items: 24, room: 24 }), 'coverage')
    expect(value).toBeLessThan(0.5)
    expect(metric(draft, fixturePackage({ items: 24, room: 3 }), 'coverage').value).toBe(1)
  })

  it('is not had by one item that cites everything', () => {
    const runPackage = fixturePackage({ items: 24 })
    const draft = fixtureDraft(runPackage)
    const [section] = draft.sections
    const cited = runPackage.evidence.slice(0, 20).map(({ id }) => id)
    const [first] = section?.items ?? []
    for (const other of draft.sections) other.items = []
    if (first) section?.items.push({ ...first, evidence: cited })
    expect(metric(draft, runPackage, 'coverage').value).toBe(0.0385)
  })
})
