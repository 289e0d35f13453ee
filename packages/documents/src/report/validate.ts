import type { Finding, RunPackage } from '@almanac/domain'
import type { ScopeScanner } from '@almanac/industries'
import { claimsOf } from './claims.ts'
import { packageIndex } from './package-index.ts'
import { cellFindings, citationFindings } from './rules/citations.ts'
import { groundingFindings } from './rules/grounding.ts'
import { keyFindings } from './rules/keys.ts'
import type { Rule } from './rules/rule.ts'
import { quietFindings, sectionFindings } from './rules/sections.ts'
import { duplicateFindings, lengthFindings } from './rules/size.ts'
import { safetyFindings, scopeFindings } from './rules/wording.ts'
import type { ReportContent } from './schema.ts'

/** The validator, on one screen: every rule that a report is held to. */
const rules: Rule[] = [
  sectionFindings,
  quietFindings,
  keyFindings,
  citationFindings,
  cellFindings,
  groundingFindings,
  scopeFindings,
  lengthFindings,
  duplicateFindings,
  safetyFindings,
]

/** Every finding of `content` against its package, rule by rule; an empty list is a clean report. */
export function validateReport(
  { scanner }: { scanner: ScopeScanner },
  content: ReportContent,
  runPackage: RunPackage,
): Finding[] {
  const judged = {
    content,
    runPackage,
    scanner,
    claims: claimsOf(content),
    index: packageIndex(runPackage),
  }
  return rules.flatMap((rule) => rule(judged))
}
