import type { Evaluation } from '@almanac/domain'
import type { Judgement } from './judge-document.ts'

const rounded = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits

/** The metrics of plugins bear their plugin's name: `<plugin>/<metric>`; those of a kind do not. */
const isPlugged = ({ name }: { name: string }): boolean => name.includes('/')

/**
 * An evaluation with the metrics that were judged: what those weigh, the kind's own metrics give up in
 * their old proportion, as they do for the metrics of plugins, so that all weights still sum to 1. One
 * that was not judged weighs nothing, and changes nothing.
 */
export function withJudgements(
  evaluation: Evaluation,
  judgements: readonly Judgement[],
): Evaluation {
  const added = judgements.map(({ metric }) => metric)
  const judged = added.reduce((sum, { weight }) => sum + weight, 0)
  if (judged === 0) return { ...evaluation, metrics: [...evaluation.metrics, ...added] }
  const plugged = evaluation.metrics.filter(isPlugged).reduce((sum, { weight }) => sum + weight, 0)
  const left = (1 - plugged - judged) / (1 - plugged)
  const metrics = [
    ...evaluation.metrics.map((metric) =>
      isPlugged(metric) ? metric : { ...metric, weight: rounded(metric.weight * left, 10) },
    ),
    ...added,
  ]
  const score = metrics.reduce((sum, { value, weight }) => sum + value * weight, 0)
  return { ...evaluation, metrics, score: Math.min(1, rounded(score, 4)) }
}
