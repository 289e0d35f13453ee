import type { EvidenceMatch, Finding } from '@almanac/domain'
import { clipped, listed } from '../../finding.ts'
import { cellKey } from '../package-index.ts'
import { statementLimits } from '../limits.ts'
import type { Judged } from './rule.ts'

/**
 * UNKNOWN_CITATION and MISSING_CITATION: every statement cites evidence of the package, and nothing
 * else. Only the summary of a package without any evidence cites nothing.
 */
export function citationFindings({ claims, index }: Judged): Finding[] {
  const isQuiet = index.evidence.size === 0
  return claims.flatMap(({ path, item, evidence }): Finding[] => {
    const unknown = evidence.flatMap((id, i): Finding[] =>
      index.evidence.has(id)
        ? []
        : [
            {
              code: 'UNKNOWN_CITATION',
              severity: 'error',
              path: `${path}/evidence/${i}`,
              message: `cites ${JSON.stringify(clipped(id))}, which is not in the package`,
              expected: 'an id of the package’s evidence',
              found: clipped(id),
            },
          ],
    )
    if (evidence.length > 0 || (isQuiet && !item)) return unknown
    return [
      {
        code: 'MISSING_CITATION',
        severity: 'error',
        path: `${path}/evidence`,
        message: item ? 'the item cites nothing' : 'the line of the summary cites nothing',
        expected: `1 to ${statementLimits.citations} ids of evidence`,
        found: 'none',
      },
    ]
  })
}

/**
 * UNMATCHED_CELL: an item stands in a cell that evidence it cites was matched to (error). Further
 * citations may lie elsewhere: those of a fact not outside its cell, those of an interpretation or
 * implication not outside its deliverable (warning).
 */
export function cellFindings({ claims, index }: Judged): Finding[] {
  return claims.flatMap(({ item, path, cites }): Finding[] => {
    if (!item || !isInScope(index.counts, item)) return []
    const cited = cites.flatMap((id) => index.evidence.get(id) ?? [])
    if (cited.length === 0) return []
    const cell = cellKey(item)
    const inCell = (matches: EvidenceMatch[]) => matches.some((match) => cellKey(match) === cell)
    const inSection = (matches: EvidenceMatch[]) =>
      matches.some(({ deliverable }) => deliverable === item.deliverable)
    if (!cited.some(({ matches }) => inCell(matches)))
      return [
        {
          code: 'UNMATCHED_CELL',
          severity: 'error',
          path,
          message: `nothing that the item cites was matched to ${cell}`,
          expected: clipped(
            listed([...new Set(cited.flatMap(({ matches }) => matches.map(cellKey)))], 4),
          ),
          found: cell,
        },
      ]
    const belongs = item.kind === 'fact' ? inCell : inSection
    const place = item.kind === 'fact' ? cell : item.deliverable
    return cited
      .filter(({ matches }) => !belongs(matches))
      .map(({ id, matches }) => ({
        code: 'UNMATCHED_CELL',
        severity: 'warning',
        path,
        message: `cites ${JSON.stringify(clipped(id))}, which was not matched to ${place}`,
        expected: place,
        found: clipped(listed(matches.map(cellKey), 4)),
      }))
  })
}

const isInScope = (
  counts: Judged['index']['counts'],
  { deliverable, region, link }: EvidenceMatch,
): boolean =>
  counts.deliverables.has(deliverable) && counts.regions.has(region) && counts.links.has(link)
