import {
  canonicalJson,
  variantBrief,
  variantStrategies,
  type Evaluation,
  type FailedCheck,
  type Outline,
  type VariantBrief,
  type VariantStrategy,
} from '@almanac/domain'
import { findingsByElement } from '../merge/judgement.ts'
import type { Judged } from '../versions/gain.ts'
import { strategies, strategyOfFinding } from './strategy.ts'

/**
 * The briefs of one generation, at most `count`, each different and each with something to close: every
 * finding and failed check goes to its strategy, the strategy with the most score to gain comes first,
 * and where strategies are fewer than variants, the largest brief is divided, findings about one element
 * staying together. A document without findings and failed checks has none: there is nothing that a
 * variant could be told.
 */
export function variantBriefs(
  { evaluation, findings, outline }: Judged & { outline: Outline },
  count: number,
  allowed: readonly VariantStrategy[] = variantStrategies,
): VariantBrief[] {
  const weights = new Map(
    evaluation.metrics.map(({ name, weight, value }) => [name, weight * (1 - value)]),
  )
  const distinct = [...new Map(findings.map((one) => [canonicalJson(one), one])).values()]
  const byFinding = Map.groupBy(distinct, ({ code }) => among(strategyOfFinding[code], allowed))
  const byCheck = Map.groupBy(failedChecks(evaluation), ({ metric }) =>
    among(strategyOfMetric(metric), allowed),
  )
  const briefs = allowed
    .map((strategy): Weighed => {
      const brief: VariantBrief = {
        strategy,
        task: strategies[strategy].task,
        findings: byFinding.get(strategy) ?? [],
        checks: byCheck.get(strategy) ?? [],
      }
      const metrics = new Set(brief.checks.map(({ metric }) => metric))
      const gain = [...metrics].reduce((sum, metric) => sum + (weights.get(metric) ?? 0), 0)
      return { brief, gain }
    })
    .filter(({ brief }) => targets(brief) > 0)
    .sort((a, b) => b.gain - a.gain || targets(b.brief) - targets(a.brief))
    .slice(0, Math.max(0, count))
    .map(({ brief }) => brief)
  return divided(briefs, count, outline)
}

interface Weighed {
  brief: VariantBrief
  /** What the score would rise by, if every check of the brief held. */
  gain: number
}

/** The brief as the text of a call: JSON, which a model reads and the deterministic engine parses. */
export const briefText = (brief: VariantBrief): string => canonicalJson(variantBrief.parse(brief))

const targets = ({ findings, checks }: VariantBrief): number => findings.length + checks.length

/**
 * The reasons of every metric below 1. What several metrics say (that there is too little to judge by)
 * follows from something else, and is a check only where nothing else is.
 */
function failedChecks({ metrics }: Evaluation): FailedCheck[] {
  const all = metrics.flatMap(({ name, value, reasons }) =>
    value < 1 ? reasons.map((reason) => ({ metric: name, reason })) : [],
  )
  const said = Map.groupBy(all, ({ reason }) => reason)
  const causes = all.filter(({ reason }) => said.get(reason)?.length === 1)
  return causes.length > 0 ? causes : all
}

const strategyOfMetric = (metric: string): VariantStrategy =>
  variantStrategies.find((strategy) => strategies[strategy].metrics.includes(metric)) ??
  'restructure'

/** The strategy that is meant, or where that is not allowed the last that is. */
const among = (
  strategy: VariantStrategy,
  allowed: readonly VariantStrategy[],
): VariantStrategy | undefined => (allowed.includes(strategy) ? strategy : allowed.at(-1))

/** Divides the brief with the most parts until there are `count` of them, or none has two. */
function divided(briefs: readonly VariantBrief[], count: number, outline: Outline): VariantBrief[] {
  const all = briefs.map((brief) => ({ brief, parts: partsOf(brief, outline) }))
  while (all.length < count) {
    const [largest] = [...all].sort((a, b) => b.parts.length - a.parts.length)
    if (!largest || largest.parts.length < 2) break
    const halves = [0, 1].map((half) => largest.parts.filter((_, i) => i % 2 === half))
    const divided = halves.map((parts) => ({ brief: together(largest.brief, parts), parts }))
    all.splice(all.indexOf(largest), 1, ...divided)
  }
  return all.map(({ brief }) => brief)
}

type Part = Pick<VariantBrief, 'findings' | 'checks'>

/** What may go into different briefs: the findings of each element, and each check. */
const partsOf = ({ findings, checks }: VariantBrief, outline: Outline): Part[] => [
  ...[...findingsByElement(outline, findings).values()].map((own) => ({
    findings: own,
    checks: [],
  })),
  ...checks.map((check) => ({ findings: [], checks: [check] })),
]

const together = (brief: VariantBrief, parts: readonly Part[]): VariantBrief => ({
  ...brief,
  findings: parts.flatMap(({ findings }) => findings),
  checks: parts.flatMap(({ checks }) => checks),
})
