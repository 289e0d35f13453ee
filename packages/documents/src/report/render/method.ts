import type { Evaluation, RunPackage } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import { conformanceText, plural, scoreText, warningText } from '../../render/conformance.ts'
import { placeName } from '../claims.ts'
import type { ReportContent } from '../schema.ts'
import { sourceCount } from './view.ts'

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

export { scoreText }

/** The conformance score, what it means, and the two metrics that lowered it most. */
export const conformanceSentences = (evaluation: Evaluation): string[] =>
  conformanceText(evaluation, 'report')

/** What the validator left as warnings, the first few of them in words; undefined for none. */
export const warningSentence = ({
  findings,
  content,
  package: runPackage,
}: RenderInput<ReportContent>): string | undefined =>
  warningText(findings, (path) => placeName(path, content, runPackage))
