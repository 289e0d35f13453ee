import { packageText, type RunPackage } from '@almanac/domain'
import { fenced, fenceRule } from '../fence.ts'
import type { Call, Prompt } from '../kind.ts'
import { statementLimits } from './limits.ts'
import { reportScope } from './package-index.ts'

/** The one call that makes a report's first document. */
export const draftCall: Call = {
  kind: 'draft',
  n: 1,
  brief: 'Write the report of the run package.',
  inputHashes: [],
}

/**
 * The prompt of a call: the instruction and this kind's fixed rules; then the whole run package and
 * the call's other contents as data, then the call's brief. Equal arguments give equal bytes.
 */
export function reportPrompt(
  runPackage: RunPackage,
  call: Call,
  inputs: readonly string[],
): Prompt {
  const blocks = [
    fenced('the run package', packageText(runPackage)),
    ...inputs.map((text, i) => fenced(`input ${i + 1} of ${inputs.length}`, text)),
  ]
  return {
    instructions: `${runPackage.instruction.text.trim()}\n\n${fixedRules(runPackage)}`,
    input: `${blocks.join('\n\n')}\n\nTask: ${call.brief}`,
  }
}

function fixedRules(runPackage: RunPackage): string {
  const { limits } = runPackage
  const quiet = runPackage.evidence.length === 0
  const sections = reportScope(runPackage).deliverables.join(', ')
  return `Rules of the document
${fenceRule}
- Answer with one JSON object of the given schema and nothing else.
- sections: exactly one for each of these deliverables, in this order: ${sections}.
- A section is quiet, with quiet true and no items, if and only if no evidence in the package has a
  match of its deliverable. Every other section has quiet false and at least one item, at most
  ${limits.maxItemsPerSection}.
- Each item's region and link are those of a match, of the section's deliverable, of evidence that it
  cites. A fact cites only evidence that has this very match.
- evidence: ids from the package's evidence, exactly as given, each once, at most ${statementLimits.citations} in one place.
- A fact holds no number, date, docket or other identifier that the evidence it cites does not hold.
- summary: at least one line, at most ${limits.maxSummaryLines}. ${
    quiet
      ? 'The package holds no evidence: one line that says so, without citations.'
      : 'Each line cites. A number in a line, as in an interpretation, stands in evidence that it cites, or is the number of items of evidence in the package: all, or those matched to one deliverable, region or link, or to two of them.'
  }
- An item's text has at most ${statementLimits.itemCharacters} characters, a summary line at most ${statementLimits.summaryCharacters}. Say nothing twice.
- Text is plain: no markup, no links, no line breaks, no control characters.`
}
