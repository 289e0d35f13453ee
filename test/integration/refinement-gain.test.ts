import { reportDraft, type Call } from '@almanac/documents'
import { describe, expect, it } from 'vitest'
import {
  contentOf,
  deterministicAnswer,
  oneGeneration,
  type Generation,
} from '../support/one-generation.ts'
import { defects, seeded, withDefects, type DefectName } from '../support/report-defects.ts'
import { kinds } from '../support/sample.ts'
import { seededPackage } from '../support/seeded-package.ts'

const kind = kinds.get('report')
const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

/** One generation of a seeded report with three defects. */
async function refined(seed: number): Promise<Generation> {
  const random = seeded(seed)
  const runPackage = seededPackage(seed, 24)
  const firstCall: Call = { kind: 'draft', n: 1, brief: 'Write it.', inputHashes: [] }
  const draft = reportDraft.parse(await deterministicAnswer(runPackage, firstCall, []))
  const names = Object.keys(defects) as DefectName[]
  const injected = names
    .map((name) => ({ name, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 3)
    .map(({ name }) => name)
  const scope = { regions: runPackage.scope?.regions ?? [], links: runPackage.scope?.links ?? [] }
  const faulty = withDefects(draft, injected, random, scope)
  return oneGeneration(kind, runPackage, contentOf(kind, runPackage, faulty))
}

describe('one generation over 20 reports with injected defects', async () => {
  const all = await Promise.all(seeds.map(refined))

  it('gains at least 0.15 on average, with three variants and a merge', () => {
    const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length
    expect(all.map(({ variants }) => variants.length)).toEqual(seeds.map(() => 3))
    expect(mean(all.map(({ gain }) => gain.score))).toBeGreaterThanOrEqual(0.15)
    for (const { gain } of all) expect(gain.score).toBeGreaterThan(0)
  })

  it('names the findings and failed checks that each gain closed, and opens none', () => {
    for (const { before, after, gain } of all) {
      expect(gain.opened).toEqual([])
      const reasons = gain.metrics.flatMap(({ closed }) => closed)
      expect(gain.closed.length + reasons.length).toBeGreaterThan(0)
      for (const finding of gain.closed) expect(before.findings).toContain(finding)
      expect(gain.closed.length).toBeGreaterThanOrEqual(
        before.findings.length - after.findings.length,
      )
      for (const { name, before: low, after: high, closed } of gain.metrics)
        if (high > low) expect(closed, name).not.toEqual([])
    }
    const codes = new Set(all.flatMap(({ gain }) => gain.closed.map(({ code }) => code)))
    expect([...codes].sort()).toEqual([
      'DUPLICATE_ITEM',
      'MISSING_CITATION',
      'MISSING_SECTION',
      'TOO_LONG',
      'UNGROUNDED',
      'UNJUSTIFIED_QUIET',
      'UNKNOWN_CITATION',
      'UNMATCHED_CELL',
    ])
  })

  it('is never below the base or any variant', () => {
    for (const { before, variants, after } of all)
      for (const score of [before.evaluation.score, ...variants.map((one) => one.score)])
        expect(after.evaluation.score).toBeGreaterThanOrEqual(score)
  })

  it('merges more than one variant, where one alone closes not everything', () => {
    for (const { variants, parents } of all)
      if (Math.max(...variants.map(({ score }) => score)) < 0.9)
        expect(parents.length).toBeGreaterThan(1)
  })

  it('gives every variant of a generation another brief', () => {
    for (const { briefs } of all) expect(new Set(briefs).size).toBe(3)
  })

  it('gives the same bytes again', async () => {
    const again = await refined(4)
    expect(JSON.stringify(again)).toBe(JSON.stringify(all[3]))
  })
})
