import {
  findingCodes,
  variantBrief,
  variantStrategies,
  type Evaluation,
  type Finding,
  type Outline,
  type VariantStrategy,
} from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { briefText, variantBriefs as briefsOf } from './briefs.ts'

const outline: Outline = Array.from({ length: 10 }, (_, i) => ({
  level: 'item',
  id: `i${i}`,
  parentId: null,
  path: `/sections/0/items/${i}`,
  value: {},
}))
const variantBriefs = (
  evaluation: Evaluation,
  findings: Finding[],
  count: number,
  allowed?: VariantStrategy[],
) => briefsOf({ evaluation, findings, outline }, count, allowed)

const names = ['coverage', 'grounding', 'citation', 'concision', 'quiet', 'scope', 'house-style']

const evaluation = (values: Record<string, [number, string[]]>): Evaluation => ({
  score: 0.5,
  metrics: names.map((name) => {
    const [value, reasons] = values[name] ?? [1, []]
    return { name, value, weight: 1 / names.length, reasons }
  }),
})
const finding = (code: Finding['code'], path = '/sections/0/items/0'): Finding => ({
  code,
  severity: 'warning',
  path,
  message: `${code} at ${path}`,
})

const anyFinding: fc.Arbitrary<Finding> = fc
  .tuple(fc.constantFrom(...findingCodes), fc.nat(9))
  .map(([code, i]) => finding(code, `/sections/0/items/${i}`))
const anyEvaluation = fc
  .dictionary(
    fc.constantFrom(...names),
    fc.tuple(
      fc.constantFrom(0, 0.25, 0.5, 0.75),
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }),
    ),
    { noNullPrototype: true },
  )
  .map(evaluation)

describe('variantBriefs', () => {
  it('gives each strategy its findings and checks, the most score to gain first', () => {
    const briefs = variantBriefs(
      evaluation({
        coverage: [0.2, ['Final rules: 1 of 5 cells are reported']],
        concision: [0.9, ['Summary, line 1: 90 words']],
        citation: [0.5, ['Final rules, item 1: cites nothing']],
      }),
      [finding('MISSING_CITATION'), finding('TOO_LONG'), finding('UNJUSTIFIED_QUIET')],
      3,
    )
    expect(briefs.map(({ strategy, findings, checks }) => [strategy, findings, checks])).toEqual([
      [
        'coverage-gaps',
        [finding('UNJUSTIFIED_QUIET')],
        [{ metric: 'coverage', reason: 'Final rules: 1 of 5 cells are reported' }],
      ],
      [
        'evidence-depth',
        [finding('MISSING_CITATION')],
        [{ metric: 'citation', reason: 'Final rules, item 1: cites nothing' }],
      ],
      [
        'brevity',
        [finding('TOO_LONG')],
        [{ metric: 'concision', reason: 'Summary, line 1: 90 words' }],
      ],
    ])
  })

  it('divides the largest brief where strategies are too few, and makes none of nothing', () => {
    const long = [0, 1, 2].map((i) => finding('TOO_LONG', `/sections/0/items/${i}`))
    const briefs = variantBriefs(evaluation({}), long, 2)
    expect(briefs.map(({ strategy, findings }) => [strategy, findings.length])).toEqual([
      ['brevity', 2],
      ['brevity', 1],
    ])
    expect(variantBriefs(evaluation({}), [], 3)).toEqual([])
    expect(variantBriefs(evaluation({}), long.slice(0, 1), 3)).toHaveLength(1)
  })

  it('keeps the findings of one element in one brief', () => {
    const [first, second] = variantBriefs(
      evaluation({}),
      [
        finding('UNKNOWN_CITATION', '/sections/0/items/0/evidence/0'),
        finding('UNGROUNDED', '/sections/0/items/1/text'),
        finding('UNGROUNDED', '/sections/0/items/0/text'),
      ],
      2,
    )
    expect(first?.findings.map(({ path }) => path)).toEqual([
      '/sections/0/items/0/evidence/0',
      '/sections/0/items/0/text',
    ])
    expect(second?.findings.map(({ path }) => path)).toEqual(['/sections/0/items/1/text'])
  })

  it('takes what several metrics say for a check only where nothing else is', () => {
    const little = 'less than half of the cells are reported'
    const both = { grounding: [0.5, [little]], scope: [0.5, [little]] } satisfies Parameters<
      typeof evaluation
    >[0]
    const cause = variantBriefs(evaluation({ ...both, coverage: [0.2, ['a gap']] }), [], 4)
    expect(cause).toMatchObject([{ strategy: 'coverage-gaps', checks: [{ reason: 'a gap' }] }])
    expect(variantBriefs(evaluation(both), [], 4).map(({ strategy }) => strategy)).toEqual([
      'evidence-depth',
      'restructure',
    ])
  })

  it('gives a check of a metric that nobody knows to restructure, and keeps to what is allowed', () => {
    const house = evaluation({ 'house-style': [0, ['no greeting']] })
    expect(variantBriefs(house, [], 3)).toMatchObject([{ strategy: 'restructure' }])
    const briefs = variantBriefs(house, [finding('TOO_LONG')], 3, ['coverage-gaps', 'brevity'])
    expect(briefs.every(({ strategy }) => strategy === 'brevity')).toBe(true)
    expect(briefs.flatMap(({ checks }) => checks)).toHaveLength(1)
  })

  it('never gives two alike, nor one without a target, and loses none when all may be made', () => {
    fc.assert(
      fc.property(
        anyEvaluation,
        fc.uniqueArray(anyFinding, { selector: (one) => one.message }),
        fc.integer({ min: 0, max: 6 }),
        (judged, findings, count) => {
          const briefs = variantBriefs(judged, findings, count)
          expect(briefs.length).toBeLessThanOrEqual(count)
          expect(new Set(briefs.map(briefText)).size).toBe(briefs.length)
          for (const { findings: own, checks } of briefs)
            expect(own.length + checks.length).toBeGreaterThan(0)
          if (count < variantStrategies.length) return
          const told = briefs.flatMap((brief) => brief.findings.map(({ message }) => message))
          expect(told.sort()).toEqual(findings.map(({ message }) => message).sort())
        },
      ),
    )
  })

  it('is told as text that reads back as itself', () => {
    const [brief] = variantBriefs(evaluation({}), [finding('TOO_LONG')], 1)
    expect(variantBrief.parse(JSON.parse(brief ? briefText(brief) : ''))).toEqual(brief)
  })
})
