import { createKinds, reportContent, type Call, type ReportContent } from '@almanac/documents'
import type { FindingCode, VariantBrief, VariantStrategy } from '@almanac/domain'
import { findIndustryByHash } from '@almanac/industries'
import { describe, expect, it } from 'vitest'
import { samplePackage } from '../../testing/sample-package.ts'
import { composeReport } from '../compose-report.ts'
import { createDeterministicEngine } from '../engine.ts'
import { improveReport } from './improve-report.ts'

const kind = createKinds({ industryByHash: findIndustryByHash }).get('report')
const topics = [
  ['FAA', 'Airworthiness Directives: Airbus SAS Airplanes', 'Rule'],
  ['EPA', 'Air Plan Approval; Ohio; Regional Haze', 'Rule'],
  ['USCG', 'Safety Zone; Willamette River, Portland, OR', 'Rule'],
  ['FDA', 'Food Labeling: Standards of Identity', 'Proposed Rule'],
  ['FERC', 'Natural Gas Pipelines: Filing of Rates; Texas', 'Proposed Rule'],
] as const
const runPackage = samplePackage({
  items: topics.map(([agency, title, documentType], i) => ({
    itemId: `n${i}`,
    publishedAt: `2022-03-${String(i + 8).padStart(2, '0')}T15:00:00Z`,
    title,
    attributes: {
      agency,
      documentType,
      docket: `${agency}-2022-100${i}`,
      ...(documentType === 'Rule' ? {} : { commentEndDate: '2022-05-10T03:59:59Z' }),
    },
  })),
})
const contentOf = (draft: unknown): ReportContent => {
  const { content, findings } = kind.read(runPackage, [draft])
  if (!content) throw new Error(JSON.stringify(findings))
  return reportContent.parse(content)
}
const clean = contentOf(composeReport(runPackage))
const findingsOf = (content: ReportContent) => kind.validate(content, runPackage)
const codesOf = (content: ReportContent) => [
  ...new Set(findingsOf(content).map(({ code }) => code)),
]

const briefFor = (content: ReportContent, strategy: VariantStrategy): VariantBrief => ({
  strategy,
  task: 'Improve what is named.',
  findings: findingsOf(content),
  checks: [],
})
const improved = (content: ReportContent, strategy: VariantStrategy) =>
  contentOf(improveReport(runPackage, content, briefFor(content, strategy)))

type Item = ReportContent['sections'][number]['items'][number]
/** The clean report with its first item changed, or its first section. */
const withItem = (change: (item: Item) => object) => {
  const [first, ...others] = clean.sections
  const [item, ...items] = first?.items ?? []
  if (!first || !item) throw new Error('the report is empty')
  return contentOf(
    draftOf({
      ...clean,
      sections: [{ ...first, items: [{ ...item, ...change(item) }, ...items] }, ...others],
    }),
  )
}
const draftOf = ({ summary, sections }: Pick<ReportContent, 'summary' | 'sections'>) => ({
  summary,
  sections: sections.map((section) => ({
    ...section,
    items: section.items.map(({ id: _, ...item }) => item),
  })),
})
const withSections = (sections: ReportContent['sections']) =>
  contentOf(draftOf({ ...clean, sections }))

/** A defect, the finding that it is, and the strategy that closes it. */
const cases: [string, ReportContent, FindingCode, VariantStrategy][] = [
  ['a missing section', withSections(clean.sections.slice(1)), 'MISSING_SECTION', 'coverage-gaps'],
  [
    'a section silenced over evidence',
    withSections(
      clean.sections.map((one, i) => (i === 0 ? { ...one, quiet: true, items: [] } : one)),
    ),
    'UNJUSTIFIED_QUIET',
    'coverage-gaps',
  ],
  ['no summary', contentOf(draftOf({ ...clean, summary: [] })), 'MISSING_SECTION', 'coverage-gaps'],
  [
    'an invented citation',
    withItem(() => ({ evidence: ['sample/invented'] })),
    'UNKNOWN_CITATION',
    'evidence-depth',
  ],
  ['no citation', withItem(() => ({ evidence: [] })), 'MISSING_CITATION', 'evidence-depth'],
  [
    'an invented number',
    withItem(({ text }) => ({ text: `${text} It binds 48213 firms.` })),
    'UNGROUNDED',
    'evidence-depth',
  ],
  [
    'a wrong cell',
    withItem(({ region }) => ({ region: region === 'alaska' ? 'hawaii' : 'alaska' })),
    'UNMATCHED_CELL',
    'evidence-depth',
  ],
  [
    'a summary without citations',
    contentOf(
      draftOf({ ...clean, summary: clean.summary.map((one) => ({ ...one, evidence: [] })) }),
    ),
    'MISSING_CITATION',
    'evidence-depth',
  ],
  [
    'an item that is too long',
    withItem(({ text }) => ({ text: `${text} ${'And so on it goes. '.repeat(60)}` })),
    'TOO_LONG',
    'brevity',
  ],
  [
    'a summary of too many lines',
    contentOf(
      draftOf({
        ...clean,
        summary: Array.from({ length: 7 }, (_, i) => ({
          text: `Line ${'abcdefg'[i]} says what matters.`,
          evidence: ['sample/n0'],
        })),
      }),
    ),
    'TOO_LONG',
    'brevity',
  ],
  [
    'an item said twice',
    withSections(clean.sections.map((one) => ({ ...one, items: [...one.items, ...one.items] }))),
    'DUPLICATE_ITEM',
    'restructure',
  ],
  [
    'sections in another order',
    withSections([...clean.sections].reverse()),
    'MISSING_SECTION',
    'restructure',
  ],
  [
    'a section in two parts',
    withSections(
      clean.sections.flatMap((one) => [
        { ...one, items: one.items.slice(0, 1) },
        ...(one.items.length > 1 ? [{ ...one, items: one.items.slice(1) }] : []),
      ]),
    ),
    'MISSING_SECTION',
    'restructure',
  ],
  [
    'markup in a text',
    withItem(({ text }) => ({ text: `${text} <script>alert` })),
    'UNSAFE_TEXT',
    'restructure',
  ],
]

describe('the deterministic variants', () => {
  it('start from a report that is clean', () => {
    expect(findingsOf(clean)).toEqual([])
    expect(clean.sections.filter(({ items }) => items.length > 0).length).toBeGreaterThan(2)
  })

  it.each(cases)('close %s', (_, faulty, code, strategy) => {
    expect(codesOf(faulty)).toContain(code)
    const better = improved(faulty, strategy)
    expect(findingsOf(better)).toEqual([])
    const score = (content: ReportContent) =>
      kind.evaluate(content, runPackage, findingsOf(content)).score
    expect(score(better)).toBeGreaterThan(score(faulty) - 1e-9)
  })

  it.each(['coverage-gaps', 'brevity', 'evidence-depth', 'restructure'] as const)(
    'leave a clean report as it is: %s',
    (strategy) => {
      expect(improved(clean, strategy)).toEqual(clean)
    },
  )

  it('leave out a statement that nothing in the package supports, and nothing else', () => {
    const faulty = withItem(() => ({ text: 'Nobody published this.', evidence: ['sample/no'] }))
    const better = improved(faulty, 'evidence-depth')
    const texts = (content: ReportContent) =>
      content.sections.flatMap(({ items }) => items.map(({ text }) => text))
    expect(texts(better)).not.toContain('Nobody published this.')
    const [, ...rest] = texts(faulty)
    expect(texts(better)).toEqual(expect.arrayContaining(rest))
  })
})

describe('a variant call to the deterministic engine', () => {
  const engine = createDeterministicEngine()
  const faulty = withItem(() => ({ evidence: ['sample/invented'] }))
  const asked = (brief: string, inputs: string[]) => {
    const call: Call = { kind: 'variant', n: 1, part: 'evidence-depth', brief, inputHashes: [] }
    const request = {
      ...{ package: runPackage, call, inputs, jsonSchema: {}, maxOutputTokens: 16_000 },
      prompt: { instructions: '', input: '' },
    }
    return engine.generate(request, engine.body(request), new AbortController().signal)
  }
  const brief = JSON.stringify(briefFor(faulty, 'evidence-depth'))

  it('answers the improved report', async () => {
    const outcome = await asked(brief, [JSON.stringify(faulty)])
    expect(outcome).toMatchObject({
      kind: 'completed',
      output: improveReport(runPackage, faulty, briefFor(faulty, 'evidence-depth')),
    })
  })

  it('says what it lacks, of a call without report or brief', async () => {
    const lacking = { kind: 'misconfigured', status: 422 }
    expect(await asked(brief, [])).toMatchObject(lacking)
    expect(await asked(brief, ['{}'])).toMatchObject(lacking)
    expect(await asked('Please improve it.', [JSON.stringify(faulty)])).toMatchObject(lacking)
  })
})
