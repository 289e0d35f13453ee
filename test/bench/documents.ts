import type { Json, RunPackage } from '@almanac/domain'
import { diff, merge, type Judgement, type Variant } from '@almanac/refinement'
import { seeded } from '../support/report-defects.ts'
import { kinds } from '../support/sample.ts'
import { seededPackage } from '../support/seeded-package.ts'
import { metric, quantile, type Metric } from './measurements.ts'

const kind = kinds.get('report')
const itemsOfLarge = 200
const itemsOfUsual = 30
const warmUp = 40
const samples = 200

interface Item {
  kind: string
  region: string
  link: string
  text: string
  evidence: string[]
}

/**
 * The pure half of refinement: what diff, merge and evaluation of reports cost, in the middle of many
 * calls in one warm process. `mergeMs` is a merge of two variants without its judge, whose cost is that
 * of one validation and one evaluation.
 */
export async function benchDocuments({
  rounds,
}: {
  rounds: number
}): Promise<Record<string, Metric>> {
  const large = seededPackage(1, 2 * itemsOfLarge)
  const base = report(large, itemsOfLarge)
  const [x, y] = [2, 3].map((seed) => edited(large, base, seed))
  if (!x || !y) throw new Error('no documents')
  const usual = seededPackage(4, 2 * itemsOfUsual)
  const small = report(usual, itemsOfUsual)
  const smallFindings = kind.validate(small, usual)
  const variants = [x, y].map((content, i): Variant<Json> => ({
    ...{ id: `v${i}`, content, depth: 1, score: 0.5 },
    findings: kind.validate(content, large),
  }))
  const findings = variants.flatMap((one) => one.findings)
  const judge = (): Judgement => ({ score: 1, findings: [] })
  const measured: Record<string, () => unknown> = {
    diffMs: () => diff(kind, x, y),
    mergeMs: () => merge({ kind, judge }, base, variants, { decay: 0.05 }),
    evaluateMs: () => kind.evaluate(small, usual, smallFindings),
    validateMs: () => kind.validate(small, usual),
  }
  const made = merge({ kind, judge }, base, variants, { decay: 0.05 })
  const changes = diff(kind, x, y).changes.length
  if (made.parents.length !== 2 || changes < 50 || findings.length === 0)
    throw new Error('the documents are too much alike to measure anything')
  const figures: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round += 1)
    for (const [name, run] of Object.entries(measured)) (figures[name] ??= []).push(middle(run))
  return Object.fromEntries(
    Object.entries(figures).map(([name, values]) => [name, metric(values, 'ms')]),
  )
}

/** The middle of many calls, in milliseconds. */
function middle(run: () => unknown): number {
  for (let i = 0; i < warmUp; i += 1) run()
  const times = Array.from({ length: samples }, () => {
    const started = performance.now()
    run()
    return performance.now() - started
  })
  return quantile(times, 0.5)
}

/** A report with a fact for each of the first `count` matches of the evidence. */
function report(runPackage: RunPackage, count: number): Json {
  const facts = runPackage.evidence
    .flatMap(({ id, title, matches }) =>
      matches.map(({ deliverable, region, link }) => ({
        deliverable,
        item: { kind: 'fact', region, link, text: `Published: “${title}”.`, evidence: [id] },
      })),
    )
    .slice(0, count)
  if (facts.length < count) throw new Error(`only ${facts.length} items for a report`)
  return contentOf(runPackage, (deliverable) =>
    facts.flatMap((fact) => (fact.deliverable === deliverable ? [fact.item] : [])),
  )
}

/** A version of a report: of ten items one gone, two reworded, one twice as long, one with a citation more. */
function edited(runPackage: RunPackage, content: Json, seed: number): Json {
  const random = seeded(seed)
  const sections = sectionsOf(content)
  return contentOf(runPackage, (deliverable) => {
    const items = sections.get(deliverable) ?? []
    return items.flatMap((item): Item[] => {
      const fate = random()
      if (fate < 0.1) return []
      if (fate < 0.3) return [{ ...item, text: item.text.replace('Published', `Version ${seed}`) }]
      if (fate < 0.4) return [{ ...item, text: `${item.text} ${item.text}` }]
      return fate < 0.5 ? [{ ...item, evidence: [...item.evidence, `new-${seed}`] }] : [item]
    })
  })
}

function sectionsOf(content: Json): Map<string, Item[]> {
  const sections = new Map<string, Item[]>()
  for (const { level, parentId, value } of kind.outline(content)) {
    if (level !== 'item' || !parentId?.startsWith('section:')) continue
    const key = parentId.slice('section:'.length)
    // A report's items have these fields, and no others.
    sections.set(key, [...(sections.get(key) ?? []), value as unknown as Item])
  }
  return sections
}

function contentOf(runPackage: RunPackage, itemsOf: (deliverable: string) => Item[]): Json {
  const [first] = runPackage.evidence
  const answer = {
    summary: [{ text: 'A week of rules.', evidence: first ? [first.id] : [] }],
    sections: (runPackage.scope?.deliverables ?? []).map((deliverable) => {
      const items = itemsOf(deliverable)
      return { deliverable, quiet: items.length === 0, items }
    }),
  }
  const { content, findings } = kind.read(runPackage, [answer])
  if (content === undefined) throw new Error(JSON.stringify(findings))
  return content
}
