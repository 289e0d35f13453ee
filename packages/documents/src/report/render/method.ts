import type { Evaluation, RunPackage } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import { placeName } from '../claims.ts'
import type { ReportContent } from '../schema.ts'
import { sourceCount } from './view.ts'

const plural = (count: number, one: string, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`

const omissions: Record<RunPackage['evidenceOmitted'][number]['reason'], string> = {
  out_of_scope: 'outside the scope',
  token_limit: 'over the size limit of a package',
  withdrawn: 'withdrawn by the publisher',
}

/** How the items were chosen, in sentences whose numbers are the package's own. */
export function methodSentences(runPackage: RunPackage): string[] {
  const { catalogue, limits } = runPackage
  const omitted = runPackage.evidenceOmitted
    .filter(({ count }) => count > 0)
    .map(({ count, reason }) => `${count} ${omissions[reason]}`)
  const lists = catalogue ? ` by the word lists of ${catalogue.industry} ${catalogue.version}` : ''
  const left = omitted.length > 0 ? `; left out: ${omitted.join(', ')}` : ''
  const late = runPackage.evidenceLate
  return [
    `Of ${plural(runPackage.evidenceConsidered, 'item')} that ${plural(sourceCount(runPackage), 'source')} published in the period, ${runPackage.evidenceIncluded} match the deliverables, regions and links${lists}${left}.`,
    `The engine read those items and no others; a section reports at most ${limits.maxItemsPerSection}, and every statement cites what it rests on.`,
    'Numbers, dates and identifiers in facts were checked against the cited items.',
    ...(late > 0
      ? [
          `${plural(late, 'item')} of earlier periods arrived after the previous report and ${late === 1 ? 'is' : 'are'} not used here.`,
        ]
      : []),
  ]
}

/** `Quiet period. …`, as a section without evidence says it. */
export function quietSentence(runPackage: RunPackage): string {
  const sources = plural(sourceCount(runPackage), 'source’s', 'sources’')
  return `Quiet period. No qualifying evidence was published for this deliverable in the period (0 of ${sources} ${plural(runPackage.evidenceConsidered, 'item')}).`
}

/** Two decimals, cut and not rounded: a score below 1 never reads as 1. */
export const scoreText = (score: number): string =>
  (Math.floor(score * 100 + 1e-6) / 100).toFixed(2)

/** The conformance score, what it means, and the two metrics that lowered it most. */
export function conformanceSentences({ score, metrics }: Evaluation): string[] {
  const lowered = metrics
    .filter(({ value, weight }) => value < 1 && weight > 0)
    .sort((a, b) => b.weight * (1 - b.value) - a.weight * (1 - a.value))
    .slice(0, 2)
    .map(({ name, value, reasons }) => {
      const why = reasons.length > 0 ? `: ${reasons.slice(0, 2).join('; ')}` : ''
      return `Lowered by ${name} (${scoreText(value)})${why}.`
    })
  return [
    `Conformance ${scoreText(score)} of 1: how fully the report does what its specification asks.`,
    ...(lowered.length > 0 ? lowered : ['Nothing lowered it.']),
  ]
}

/** What the validator left as warnings, the first few of them in words; undefined for none. */
export function warningSentence({
  findings,
  content,
  package: runPackage,
}: RenderInput<ReportContent>): string | undefined {
  const warnings = findings.filter(({ severity }) => severity === 'warning')
  if (warnings.length === 0) return undefined
  const shown = warnings
    .slice(0, 3)
    .map(({ path, message }) => `${placeName(path, content, runPackage)}: ${message}`)
  const more = warnings.length > 3 ? ` and ${warnings.length - 3} more` : ''
  return `${plural(warnings.length, 'warning')}: ${shown.join('; ')}${more}.`
}
