import { createKinds, reportContent, workflowKind } from '@almanac/documents'
import { industryByHash } from '@almanac/documents/samples'
import {
  mergeStrategies,
  refinementLimits,
  type MergeStrategy,
  type RunId,
  type VersionId,
} from '@almanac/domain'
import { derivedId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import { merge, shouldStop, variantBriefs } from '@almanac/refinement'
import { fileDeliverer } from '@almanac/worker'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type {
  Delivery,
  DelivererHook,
  ExporterHook,
  MergeHook,
  MetricHook,
  TerminationInput,
  VariantHook,
} from '../hooks.ts'
import {
  delivererConformance,
  engineConformance,
  exporterConformance,
  kindConformance,
  mergeConformance,
  metricConformance,
  sampleDocuments,
  terminationConformance,
  variantConformance,
  type Check,
} from './index.ts'

const all = (checks: readonly Check[]) => {
  for (const { name, run } of checks) it(name, run)
}

/** The names of the checks that do not hold. */
const broken = async (checks: readonly Check[]): Promise<string[]> => {
  const names: string[] = []
  for (const { name, run } of checks)
    await run().catch(() => {
      names.push(name)
    })
  return names
}

const kinds = createKinds({ industryByHash })
const report = kinds.get('report')

describe('the kind report', () => {
  all(kindConformance(report))
})
describe('the kind workflow', () => {
  all(kindConformance(workflowKind))
})
describe('the deterministic engine', () => {
  all(engineConformance(createDeterministicEngine(), { answersAlike: true }))
})

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})
const openFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-deliverer-'))
  folders.push(folder)
  const arrived = () =>
    Object.fromEntries(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name))
        .map((file) => [file, readFileSync(file, 'utf8')]),
    )
  return { folder, arrived }
}
describe('the file deliverer', () => {
  all(
    delivererConformance(() => {
      const { folder, arrived } = openFolder()
      const deliver: DelivererHook['deliver'] = (delivery, signal) => {
        const content = {
          get: (_: string, hash: string) => Promise.resolve(textOf(delivery, hash)),
        }
        const due = { ...delivery, deliverer: 'file', attempts: 1 } as never
        return fileDeliverer({ dir: folder, content }).deliver(due, signal)
      }
      return { deliverer: { name: 'file', deliver }, arrived }
    }),
  )
})
const textOf = ({ artifacts }: Delivery, hash: string): string =>
  artifacts.find(({ sha256 }) => sha256 === hash)?.text ?? ''

/** The built-in merges, with the judge that a plugin's merge does not get. */
const builtInMerge = (strategy: MergeStrategy): MergeHook => ({
  name: strategy,
  merge({ ancestor, variants, decay }) {
    const [clean] = sampleDocuments()
    if (!clean) throw new Error('no samples')
    const runPackage = clean.input.package
    const judge = (content: Parameters<typeof report.parse>[0]) => {
      const parsed = report.parse(content)
      const findings = report.validate(parsed, runPackage)
      return { findings, score: report.evaluate(parsed, runPackage, findings).score }
    }
    const merged = merge(
      { kind: report, judge },
      report.compose(ancestor),
      variants.map(({ outline, findings, ...one }) => ({
        ...one,
        findings: [...findings],
        content: report.compose(outline),
      })),
      { strategy, decay },
    )
    return { elements: [...report.outline(merged.content)], parents: merged.parents }
  },
})
describe.each(mergeStrategies)('the merge strategy %s', (strategy) => {
  all(mergeConformance(builtInMerge(strategy)))
})

describe('the built-in briefs of variants', () => {
  const briefs: VariantHook['briefs'] = ({ evaluation, findings, outline, count }) =>
    variantBriefs({ evaluation, findings: [...findings], outline }, count).map(
      ({ strategy: _, ...brief }) => brief,
    )
  all(variantConformance({ name: 'built-in', briefs }))
})

const refinement = (score: number, depth: number): TerminationInput => ({
  limits: refinementLimits.parse({}),
  lineage: {
    rootId: derivedId('run', 'root') as RunId,
    parentId: derivedId('version', `v${depth}`) as VersionId,
    depth,
    childrenGenerated: depth * 3,
    spent: { microUsd: 1_000, tokens: 100 },
    held: { microUsd: 0, tokens: 0 },
    bests: Array.from({ length: depth + 1 }, (_, i) => ({
      id: derivedId('version', `v${i}`) as VersionId,
      score: i === depth ? score : 0.3 + i / 10,
      depth: i,
    })),
    last: null,
    generationOpen: false,
    ended: null,
    checkpoint: null,
    deadlineAt: null,
    now: '2026-11-21T10:00:00.000Z',
  },
})
describe('the built-in termination conditions', () => {
  const goesOn = refinement(0.4, 1)
  const termination = [{ type: 'target_score', score: 0.9 }] as const
  const stops = ({ lineage, limits }: TerminationInput) =>
    shouldStop(lineage, [...termination], limits) ?? null
  const hook = { name: 'target_score', stops }
  all(terminationConformance(hook, { goesOn, stops: refinement(0.95, 1) }))
  all(terminationConformance(hook, { goesOn, stops: refinement(0.5, 3) }))
})

describe('the suites find what is wrong', () => {
  const metric = (measure: MetricHook['measure']): MetricHook => ({
    ...{ name: 'm', kind: 'report', weight: 0.1, measure },
  })
  const one = { value: 1, reasons: [] }
  let calls = 0
  it.each<[string, MetricHook, string[]]>([
    [
      'no reasons',
      metric(() => ({ value: 0.5, reasons: [] })),
      ['measures from 0 to 1, and says in single lines what lowers a measure'],
    ],
    [
      'a memory',
      metric(() => ({ value: 1, reasons: [`${(calls += 1)}`] })),
      ['is a pure function: equal input, equal answer, and the input stays as it is'],
    ],
    ['a clock', metric(() => (Date.now() > 0 ? one : one)), ['asks neither a clock nor dice']],
    [
      'a reward for padding',
      metric(({ content }) => ({
        value: Math.min(1, JSON.stringify(content).length / 1e6),
        reasons: ['it is short'],
      })),
      ['does not rise when everything is said twice'],
    ],
    ['too much weight', { ...metric(() => one), weight: 0.7 }, ['weighs above 0, and at most 0.5']],
  ])('of a metric with %s', async (_, hook, wrong) => {
    expect(await broken(metricConformance(hook))).toEqual(wrong)
  })

  it('of a metric that changes what it is given', async () => {
    const vandal = metric(({ findings }) => {
      ;(findings as unknown[]).push({})
      return one
    })
    expect(await broken(metricConformance(vandal))).toContain(
      'is a pure function: equal input, equal answer, and the input stays as it is',
    )
  })

  it('of an exporter that hands on what it is given', async () => {
    const raw: ExporterHook = {
      ...{ format: 'csv', kinds: ['report'] },
      export: ({ content }) =>
        reportContent
          .parse(content)
          .sections.flatMap(({ items }) => items.map(({ text }) => text))
          .join('\n'),
    }
    expect(await broken(exporterConformance(raw))).toEqual([
      'writes well-formed text of every document',
      'says that the document is no operational output, and of a test run that it is one',
      'lets no character through that acts on the reader’s screen unseen',
      'lets no cell through that a spreadsheet would calculate',
    ])
  })

  it('of an engine that prices more than it held, or whose bytes change', async () => {
    const dear = { ...createDeterministicEngine(), price: () => 7 }
    expect(await broken(engineConformance(dear))).toEqual([
      'says what became of a call, for no more than was held',
    ])
    const restless = { ...createDeterministicEngine(), body: () => String((calls += 1)) }
    expect(await broken(engineConformance(restless))).toEqual([
      'makes equal bytes of equal requests, without clock or dice',
    ])
  })

  it('of a deliverer that delivers twice', async () => {
    const wrong = await broken(
      delivererConformance(() => {
        const sent: string[] = []
        const deliver: DelivererHook['deliver'] = ({ id, artifacts }) => {
          sent.push(id, ...artifacts.map(({ text }) => text))
          return null
        }
        return { deliverer: { name: 'append', deliver }, arrived: () => sent }
      }),
    )
    expect(wrong).toEqual([
      'changes nothing when the same delivery is tried again',
      'may be tried twice at once',
    ])
  })

  it('of a kind whose outline loses something, and of one that trusts what it reads', async () => {
    const lossy = {
      ...workflowKind,
      outline: (content: Parameters<typeof workflowKind.outline>[0]) =>
        workflowKind.outline(content).slice(0, -1),
    }
    expect(await broken(kindConformance(lossy))).toEqual([
      'has an outline of which the content can be composed again',
    ])
    const trusting = { ...workflowKind, parse: (content: unknown) => content as never }
    expect(await broken(kindConformance(trusting))).toEqual([
      'has content that comes back from its storage as it was, and refuses other content',
    ])
  })

  it('of a merge that depends on the order of arrival', async () => {
    const first: MergeHook = {
      name: 'first',
      merge: ({ variants: [only] }) => ({ elements: [...only!.outline], parents: [only!.id] }),
    }
    expect(await broken(mergeConformance(first))).toEqual([
      'does not depend on the order in which versions arrive',
    ])
  })

  it('of briefs that invent what is wrong, and of a condition that always holds', async () => {
    const inventive: VariantHook = {
      name: 'inventive',
      briefs: () => [{ task: 'Improve.', findings: [], checks: [{ metric: 'm', reason: 'r' }] }],
    }
    expect(await broken(variantConformance(inventive))).toEqual([
      'names no finding and no check that the document does not have',
      'has no brief for a document without findings and failed checks',
    ])
    const input = refinement(0.4, 1)
    const always = { name: 'always', stops: () => 'It is enough.' }
    expect(await broken(terminationConformance(always, { stops: input, goesOn: input }))).toEqual([
      'lets a refinement go on',
    ])
  })
})
