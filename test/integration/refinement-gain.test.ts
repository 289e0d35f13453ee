import { reportDraft, type Call } from '@almanac/documents'
import { describe, expect, it } from 'vitest'
import { itGains, threeOf } from '../support/gain-promises.ts'
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
  const injected = threeOf(names, random)
  const scope = { regions: runPackage.scope?.regions ?? [], links: runPackage.scope?.links ?? [] }
  const faulty = withDefects(draft, injected, random, scope)
  return oneGeneration(kind, runPackage, contentOf(kind, runPackage, faulty))
}

describe('one generation over 20 reports with injected defects', async () => {
  const all = await Promise.all(seeds.map(refined))

  itGains(all, {
    again: refined,
    closes: [
      'DUPLICATE_ITEM',
      'MISSING_CITATION',
      'MISSING_SECTION',
      'TOO_LONG',
      'UNGROUNDED',
      'UNJUSTIFIED_QUIET',
      'UNKNOWN_CITATION',
      'UNMATCHED_CELL',
    ],
  })

  it('merges more than one variant, where one alone closes not everything', () => {
    for (const { variants, parents } of all)
      if (Math.max(...variants.map(({ score }) => score)) < 0.9)
        expect(parents.length).toBeGreaterThan(1)
  })
})
