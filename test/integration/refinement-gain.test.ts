import { reportDraft, type Call } from '@almanac/documents'
import { canonicalJson, type Json, type RunPackage } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { createDeterministicEngine } from '@almanac/llm'
import {
  briefText,
  gainOf,
  merge,
  variantBriefs,
  type Gain,
  type Judgement,
  type Variant,
} from '@almanac/refinement'
import { describe, expect, it } from 'vitest'
import { defects, seeded, withDefects, type DefectName } from '../support/report-defects.ts'
import { kinds } from '../support/sample.ts'
import { seededPackage } from '../support/seeded-package.ts'

const kind = kinds.get('report')
const engine = createDeterministicEngine()
const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

/** What the deterministic engine answers to a call. */
async function answered(runPackage: RunPackage, call: Call, inputs: string[]): Promise<unknown> {
  const request = {
    package: runPackage,
    call,
    inputs,
    prompt: { instructions: '', input: '' },
    jsonSchema: {},
    maxOutputTokens: 16_000,
  }
  const outcome = await engine.generate(request, engine.body(request), AbortSignal.timeout(60_000))
  if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
  return outcome.output
}

function contentOf(runPackage: RunPackage, answer: unknown): Json {
  const { content, findings } = kind.read(runPackage, [answer])
  if (content === undefined) throw new Error(JSON.stringify(findings))
  return content
}

const judged = (runPackage: RunPackage, content: Json) => {
  const findings = kind.validate(content, runPackage)
  const evaluation = kind.evaluate(content, runPackage, findings)
  return { evaluation, findings, outline: kind.outline(content) }
}

interface Refined {
  before: ReturnType<typeof judged>
  briefs: string[]
  variants: Variant<Json>[]
  after: ReturnType<typeof judged>
  parents: string[]
  gain: Gain
}

/** One generation, as `refine` would make it: three briefs, three variants, one merge. */
async function refined(seed: number): Promise<Refined> {
  const random = seeded(seed)
  const runPackage = seededPackage(seed, 24)
  const firstCall: Call = { kind: 'draft', n: 1, brief: 'Write it.', inputHashes: [] }
  const draft = reportDraft.parse(await answered(runPackage, firstCall, []))
  const names = Object.keys(defects) as DefectName[]
  const injected = names
    .map((name) => ({ name, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 3)
    .map(({ name }) => name)
  const scope = { regions: runPackage.scope?.regions ?? [], links: runPackage.scope?.links ?? [] }
  const base = contentOf(runPackage, withDefects(draft, injected, random, scope))
  const before = judged(runPackage, base)
  const document = canonicalJson(base)
  const briefs = variantBriefs(before, 3)
  const judge = (content: Json): Judgement => {
    const { evaluation, findings } = judged(runPackage, content)
    return { score: evaluation.score, findings }
  }
  const variants = await Promise.all(
    briefs.map(async (brief, i): Promise<Variant<Json>> => {
      const call: Call = {
        kind: 'variant',
        n: 1,
        part: String(i + 1),
        brief: briefText(brief),
        inputHashes: [sha256(document)],
      }
      const content = contentOf(runPackage, await answered(runPackage, call, [document]))
      return { id: `v${i + 1}`, content, depth: 1, ...judge(content) }
    }),
  )
  const { content, parents } = merge({ kind, judge }, base, variants, { decay: 0.05 })
  const after = judged(runPackage, content)
  const gain = gainOf(before, after)
  return { before, briefs: briefs.map(briefText), variants, after, parents, gain }
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
