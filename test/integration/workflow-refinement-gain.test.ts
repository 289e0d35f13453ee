import { workflowDraft, type Call } from '@almanac/documents'
import { describe, expect, it } from 'vitest'
import {
  fixtureModule,
  workflowPackage,
} from '../../packages/documents/src/fixtures/workflow-package.ts'
import {
  contentOf,
  deterministicAnswer,
  oneGeneration,
  type Generation,
} from '../support/one-generation.ts'
import { seeded } from '../support/report-defects.ts'
import { kinds } from '../support/sample.ts'
import {
  withWorkflowDefects,
  workflowDefects,
  type WorkflowDefectName,
} from '../support/workflow-defects.ts'

const kind = kinds.get('workflow')
const seeds = Array.from({ length: 20 }, (_, i) => i + 1)
const purposes = [
  'Onboard new chemical suppliers and audit their safety data sheets within 30 days',
  'Close the monthly accounts',
  'Migrate the billing database to a managed cloud service without downtime by 30 June',
  'Collect customer feedback every month and publish a summary for the product board',
  'Train volunteers for the food bank',
  'Weekly review of safety incidents at the Rotterdam plant',
  'Reduce energy use in the bakery',
  'Renew the operating licence of the clinic',
  'Plan the annual volunteer conference, invite the speakers and publish the programme',
  'Hire a data engineer for the platform team',
]
const audiences = ['Procurement officers and plant safety engineers', 'New interns', 'Controllers']
const styles = ['Plain checklist', 'Terse', 'Friendly narrative', 'Formal and detailed']

/** One generation of a seeded workflow with three defects. */
async function refined(seed: number): Promise<Generation> {
  const random = seeded(seed)
  const one = (texts: readonly string[]) => texts[Math.floor(random() * texts.length)] ?? ''
  const runPackage = workflowPackage({
    purpose: purposes[seed % purposes.length] ?? '',
    audience: one(audiences),
    style: one(styles),
    modules: random() < 0.5 ? [fixtureModule] : [],
  })
  const wholeDraft: Call = { kind: 'draft', n: 1, brief: 'Write it.', inputHashes: [] }
  const draft = workflowDraft.parse(await deterministicAnswer(runPackage, wholeDraft, []))
  const names = Object.keys(workflowDefects) as WorkflowDefectName[]
  const injected = names
    .map((name) => ({ name, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 3)
    .map(({ name }) => name)
  const faulty = withWorkflowDefects(draft, injected, random)
  return oneGeneration(kind, runPackage, contentOf(kind, runPackage, faulty))
}

describe('one generation over 20 workflows with injected defects', async () => {
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
      'DEPENDENCY_CYCLE',
      'DUPLICATE_ITEM',
      'MISSING_SECTION',
      'TOO_LONG',
      'UNKNOWN_REFERENCE',
    ])
    const metrics = new Set(all.flatMap(({ gain }) => gain.metrics.map(({ name }) => name)))
    expect([...metrics].sort()).toEqual([
      'concision',
      'coverage',
      'dependencies',
      'fit',
      'flow',
      'specificity',
    ])
  })

  it('leaves most of the 20 without an error, and none below its base or a variant', () => {
    for (const { before, variants, after } of all)
      for (const score of [before.evaluation.score, ...variants.map((one) => one.score)])
        expect(after.evaluation.score).toBeGreaterThanOrEqual(score)
    const sound = all.filter(({ after }) => after.findings.every((one) => one.severity !== 'error'))
    expect(sound.length).toBeGreaterThanOrEqual(15)
  })

  it('merges more than one variant, where one alone closes not everything', () => {
    const merged = all.filter(({ parents }) => parents.length > 1)
    expect(merged.length).toBeGreaterThanOrEqual(15)
    const better = all.filter(({ after, variants }) =>
      variants.every(({ score }) => after.evaluation.score > score),
    )
    expect(better.length).toBeGreaterThan(0)
  })

  it('gives every variant of a generation another brief', () => {
    for (const { briefs } of all) expect(new Set(briefs).size).toBe(3)
  })

  it('gives the same bytes again', async () => {
    const again = await refined(4)
    expect(JSON.stringify(again)).toBe(JSON.stringify(all[3]))
  })
})
