import type { Finding } from '@almanac/domain'
import { clipped, listed } from '../../finding.ts'
import { labelOf } from '../package-index.ts'
import type { Judged } from './rule.ts'

/** MISSING_SECTION: each deliverable of the scope has one section, in the scope's order; a summary is there. */
export function sectionFindings({ content, index }: Judged): Finding[] {
  const { deliverables } = index.scope
  const found = content.sections.map(({ deliverable }) => deliverable)
  const missing = deliverables.filter((key) => !found.includes(key))
  const findings: Finding[] = missing.map((key) => ({
    code: 'MISSING_SECTION',
    severity: 'error',
    path: '/sections',
    message: `has no section for the deliverable ${key}`,
    expected: listed(deliverables),
    found: found.length ? clipped(listed(found)) : 'no section',
  }))
  found.forEach((key, i) => {
    const first = found.indexOf(key)
    if (first < i && deliverables.includes(key))
      findings.push({
        code: 'MISSING_SECTION',
        severity: 'error',
        path: `/sections/${i}`,
        message: `is the second section of the deliverable ${key}`,
        expected: 'one section a deliverable',
        found: `sections ${first} and ${i}`,
      })
  })
  const inScope = found.filter((key, i) => deliverables.includes(key) && found.indexOf(key) === i)
  const ordered = deliverables.filter((key) => inScope.includes(key))
  const wrong = inScope.findIndex((key, i) => key !== ordered[i])
  if (wrong >= 0)
    findings.push({
      code: 'MISSING_SECTION',
      severity: 'error',
      path: '/sections',
      message: `has ${inScope[wrong]} where ${ordered[wrong]} belongs`,
      expected: listed(ordered),
      found: listed(inScope),
    })
  if (content.summary.length === 0)
    findings.push({
      code: 'MISSING_SECTION',
      severity: 'error',
      path: '/summary',
      message: 'the summary has no line',
      expected: 'at least one line',
      found: 'none',
    })
  return findings
}

/** UNJUSTIFIED_QUIET: a section is quiet, and then empty, if and only if it has no matching evidence. */
export function quietFindings({ content, index, runPackage }: Judged): Finding[] {
  return content.sections.flatMap(({ deliverable, quiet, items }, i): Finding[] => {
    const evidence = index.counts.deliverables.get(deliverable)
    if (evidence === undefined) return []
    const label = labelOf(runPackage, 'deliverables', deliverable)
    const finding = (message: string, expected: string, found: string): Finding => ({
      code: 'UNJUSTIFIED_QUIET',
      severity: 'error',
      path: `/sections/${i}/${quiet ? 'quiet' : 'items'}`,
      message,
      expected,
      found,
    })
    const holds = `${evidence} matching ${evidence === 1 ? 'item' : 'items'} of evidence`
    if (quiet && items.length > 0)
      return [finding(`${label} is called quiet, but has items`, 'no items', `${items.length}`)]
    if (quiet && evidence > 0)
      return [finding(`${label} is called quiet, but the package has evidence`, 'items', holds)]
    if (!quiet && items.length === 0)
      return [
        finding(
          `${label} is not called quiet, but has no items`,
          evidence > 0 ? 'items' : 'quiet: true',
          holds,
        ),
      ]
    return []
  })
}
