import type { Finding } from '@almanac/domain'
import { lengthChecks } from '../../too-long.ts'
import { statementLimits } from '../limits.ts'
import type { Claim } from '../claims.ts'
import type { Judged } from './rule.ts'

/** TOO_LONG: summary lines, items of a section, characters and citations of a statement. */
export function lengthFindings({ content, claims, index, runPackage }: Judged): Finding[] {
  const isQuiet = index.evidence.size === 0
  const mostLines = isQuiet ? 1 : runPackage.limits.maxSummaryLines
  const { itemCharacters, summaryCharacters, citations } = statementLimits
  const { findings, check } = lengthChecks()
  const lines = isQuiet ? 'lines for a period without evidence' : 'lines'
  check('/summary', lines, content.summary.length, mostLines)
  content.sections.forEach(({ items }, i) =>
    check(`/sections/${i}/items`, 'items', items.length, index.room),
  )
  for (const { path, text, cites, item } of claims) {
    check(`${path}/text`, 'characters', text.length, item ? itemCharacters : summaryCharacters)
    check(`${path}/evidence`, 'citations', cites.length, citations)
  }
  return findings
}

/**
 * DUPLICATE_ITEM: a section says the same with the same evidence twice, or the summary does (error);
 * a section says the same of other evidence, where one item should cite both (warning); a statement
 * cites the same evidence twice (warning). The same text may stand in sections of two deliverables.
 */
export function duplicateFindings({ claims }: Judged): Finding[] {
  const said = new Map<string, Claim[]>()
  return claims.flatMap((claim): Finding[] => {
    const { path, text, evidence, cites, item } = claim
    const key = `${item ? `${item.section}/${item.kind}` : 'summary'}/${folded(text)}`
    const before = said.get(key) ?? []
    said.set(key, [...before, claim])
    const same = before.find((other) => sameIds(other.cites, cites))
    const other = same ?? before[0]
    const findings: Finding[] = []
    if (other)
      findings.push({
        code: 'DUPLICATE_ITEM',
        severity: same || !item ? 'error' : 'warning',
        path,
        message: same
          ? `repeats ${other.path}`
          : `says of other evidence what ${other.path} says; one statement should cite both`,
        expected: 'each thing said once',
        found: `${other.path} and ${path}`,
      })
    if (evidence.length > cites.length)
      findings.push({
        code: 'DUPLICATE_ITEM',
        severity: 'warning',
        path: `${path}/evidence`,
        message: 'cites the same evidence more than once',
        expected: `${cites.length} ids`,
        found: `${evidence.length} ids`,
      })
    return findings
  })
}

// eslint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/

/** The words of a text; case and punctuation make no other statement of it. */
const folded = (text: string): string =>
  text
    .toLowerCase()
    .replace(ascii.test(text) ? /[^a-z0-9]+/g : /[^\p{L}\p{N}]+/gu, ' ')
    .trim()

const sameIds = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((id) => b.includes(id))
