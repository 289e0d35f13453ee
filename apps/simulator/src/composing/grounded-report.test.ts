import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededNumbers } from '../seeded.ts'
import { sampleEvidence, samplePackage, type SampleEvidence } from '../testing/run-package.ts'
import { groundedReport } from './grounded-report.ts'
import { findRunPackage, type FoundPackage } from './run-package.ts'

const packageOf = (evidence: readonly SampleEvidence[], replaced: object = {}): FoundPackage =>
  findRunPackage(JSON.stringify(samplePackage(evidence, replaced)))!

const reportOf = (runPackage: FoundPackage, seed = '1') =>
  groundedReport(runPackage, seededNumbers(seed))

const pick = fc.constantFrom
const evidence: fc.Arbitrary<SampleEvidence[]> = fc
  .array(
    fc.record({
      title: fc.oneof(fc.string({ unit: 'binary' }), pick('Same title', '<script>x</script>', '')),
      text: fc.string(),
      matches: fc.uniqueArray(
        fc.record({
          deliverable: pick('final-rules', 'comment-deadlines', 'corrections', 'elsewhere'),
          region: pick('alaska', 'national', 'atlantis'),
          link: pick('aviation', 'energy'),
        }),
        { maxLength: 4, selector: (match) => JSON.stringify(match) },
      ),
    }),
    { maxLength: 30 },
  )
  .map((items) => items.map((item, n) => ({ ...item, id: `source/${n}` })))

test('every item rests on evidence of its cell, and only what has no evidence is quiet', () => {
  fc.assert(
    fc.property(evidence, fc.string(), fc.integer({ min: 1, max: 8 }), (items, seed, room) => {
      const limits = { maxItemsPerSection: room, maxSummaryLines: 2 }
      const runPackage = packageOf(items, { limits })
      const report = reportOf(runPackage, seed)
      const byId = new Map(items.map((item) => [item.id, item]))
      const { scope } = runPackage
      expect(report.sections.map(({ deliverable }) => deliverable)).toEqual(scope.deliverables)
      for (const { deliverable, quiet, items: told } of report.sections) {
        const has = items.some(({ matches }) =>
          matches.some((match) => match.deliverable === deliverable && match.region !== 'atlantis'),
        )
        expect(quiet).toBe(!has)
        expect(told.length > 0).toBe(has)
        expect(told.length).toBeLessThanOrEqual(room)
        expect(new Set(told.map(({ text }) => text)).size).toBe(told.length)
        for (const { region, link, text, evidence: cited } of told) {
          expect(text.length).toBeLessThan(700)
          expect(text).not.toMatch(/[<>\p{Cc}]/u)
          expect(text.isWellFormed()).toBe(true)
          expect(cited.length).toBeGreaterThan(0)
          for (const id of cited)
            expect(byId.get(id)?.matches).toContainEqual({ deliverable, region, link })
        }
      }
      expect(report.summary.length).toBeGreaterThan(0)
      expect(report.summary.length).toBeLessThanOrEqual(2)
    }),
  )
})

test('facts quote the titles that they cite', () => {
  const { sections, summary } = reportOf(packageOf(sampleEvidence))
  expect(sections[0]?.items.map(({ text }) => text)).toEqual([
    expect.stringContaining('“Airspace Designations; Emmonak, Alaska”'),
    expect.stringContaining('“Standards for "Pipeline" Safety: 49 CFR Part 192”'),
  ])
  expect(summary[0]).toEqual({
    text: `Final rules: ${sections[0]?.items[0]?.text}`,
    evidence: ['register/2022-04711'],
  })
})

test('titles of one cell that differ in case or punctuation alone are told once, with both citations', () => {
  const [first] = sampleEvidence
  const again = { ...first!, title: first!.title.toUpperCase().replace(';', ':') }
  const twice = [first!, { ...again, id: 'register/2022-05000' }]
  const items = reportOf(packageOf(twice)).sections[0]?.items
  expect(items).toHaveLength(1)
  expect(items?.[0]?.evidence).toEqual(['register/2022-04711', 'register/2022-05000'])
})

test('a period without evidence is quiet in every section, and says so', () => {
  const { summary, sections } = reportOf(packageOf([]))
  expect(sections.map(({ quiet, items }) => [quiet, items])).toEqual(Array(3).fill([true, []]))
  expect(summary).toEqual([
    { text: 'Nothing in scope was published in this period.', evidence: [] },
  ])
})

test('the seed decides the wording', () => {
  const texts = Array.from({ length: 30 }, (_, seed) =>
    JSON.stringify(reportOf(packageOf(sampleEvidence), String(seed))),
  )
  expect(new Set(texts).size).toBeGreaterThan(3)
})
