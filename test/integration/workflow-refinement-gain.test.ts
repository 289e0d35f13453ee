import { workflowDraft, type Call } from '@almanac/documents'
import { describe, expect, it } from 'vitest'
import {
  fixtureModule,
  workflowPackage,
} from '../../packages/documents/src/fixtures/workflow-package.ts'
import { itGains, threeOf } from '../support/gain-promises.ts'
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
  const injected = threeOf(names, random)
  const faulty = withWorkflowDefects(draft, injected, random)
  return oneGeneration(kind, runPackage, contentOf(kind, runPackage, faulty))
}

describe('one generation over 20 workflows with injected defects', async () => {
  const all = await Promise.all(seeds.map(refined))

  itGains(all, {
    again: refined,
    closes: [
      'DEPENDENCY_CYCLE',
      'DUPLICATE_ITEM',
      'MISSING_SECTION',
      'TOO_LONG',
      'UNKNOWN_REFERENCE',
    ],
  })

  it('raises every metric that a defect can lower', () => {
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

  it('leaves most of the 20 without an error', () => {
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
})
