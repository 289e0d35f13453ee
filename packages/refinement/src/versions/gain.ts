import type { Evaluation, Finding, Outline } from '@almanac/domain'
import { align } from '../diff/align.ts'
import { findingsBeyond } from '../merge/judgement.ts'

/** A document with what its validator and its metrics say of it. */
export interface Judged {
  evaluation: Evaluation
  findings: readonly Finding[]
}

/** What one version is worth more than another, and what of that was wrong before. */
export interface Gain {
  /** The score less that before: negative for a loss. */
  score: number
  /** Findings before that are no more, and those that are new. */
  closed: Finding[]
  opened: Finding[]
  /** The metrics that changed, with the reasons for a lower value that are no more, and the new ones. */
  metrics: MetricGain[]
}

export interface MetricGain {
  name: string
  before: number
  after: number
  closed: string[]
  opened: string[]
}

/** What `after` gains over `before`: two judged versions of one document, with their outlines. */
export function gainOf(
  before: Judged & { outline: Outline },
  after: Judged & { outline: Outline },
): Gain {
  const old = { elements: before.outline, findings: before.findings }
  const { elements } = align(after.outline, before.outline)
  const now = { elements, findings: after.findings }
  return {
    score: rounded(after.evaluation.score - before.evaluation.score),
    closed: findingsBeyond(old, [now]),
    opened: findingsBeyond(now, [old]),
    metrics: metricGains(before.evaluation, after.evaluation),
  }
}

function metricGains(before: Evaluation, after: Evaluation): MetricGain[] {
  const now = new Map(after.metrics.map((metric) => [metric.name, metric]))
  return before.metrics.flatMap(({ name, value, reasons }) => {
    const other = now.get(name)
    if (!other || other.value === value) return []
    return [
      {
        name,
        before: value,
        after: other.value,
        closed: reasons.filter((reason) => !other.reasons.includes(reason)),
        opened: other.reasons.filter((reason) => !reasons.includes(reason)),
      },
    ]
  })
}

/** Scores have four decimals, and so have their differences. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000
