import type { Finding, RunPackage } from '@almanac/domain'
import type { Claim } from './claims.ts'
import { cellKey, labelOf, type Cell, type PackageIndex } from './package-index.ts'

/** How much of a package's evidence a report reports. */
export interface Coverage {
  value: number
  /** The cells that the sections have room for. */
  target: number
  /** The deliverables that report less than they have room for. */
  gaps: Gap[]
  /** Keys of the deliverables that a valid item reports on. */
  reported: ReadonlySet<string>
}

export interface Gap {
  deliverable: string
  reported: number
  /** Cells that the section has room for, and cells that have evidence. */
  asked: number
  all: number
  /** The cell with the most evidence that is not reported. */
  largest: Cell | undefined
}

/** An item that cites more than this reports its own cell only: it is a list, not a report. */
const mostShared = 6

/**
 * A cell is reported when a valid item of its deliverable stands in it, or cites evidence matched to
 * it. A deliverable asks for no more cells than its section has room for items.
 */
export function coverageOf(
  { cells, counts, evidence, room }: PackageIndex,
  claims: readonly Claim[],
  findings: readonly Finding[],
): Coverage {
  const found = new Set<string>()
  for (const { item, cites } of validClaims(claims, findings)) {
    if (!item) continue
    const matches = cites.flatMap((id) => evidence.get(id)?.matches ?? []).map(cellKey)
    const own = cellKey(item)
    if (!matches.includes(own)) continue
    found.add(own)
    if (cites.length > mostShared) continue
    const prefix = `${item.deliverable}/`
    for (const key of matches) if (key.startsWith(prefix)) found.add(key)
  }
  let target = 0
  let hit = 0
  const gaps: Gap[] = []
  const reported = new Set<string>()
  for (const deliverable of counts.deliverables.keys()) {
    const own = [...cells].filter(([, cell]) => cell.deliverable === deliverable)
    const missing = own.filter(([key]) => !found.has(key)).map(([, cell]) => cell)
    const present = own.length - missing.length
    const asked = Math.min(room, own.length)
    target += asked
    hit += Math.min(asked, present)
    if (present > 0) reported.add(deliverable)
    if (present >= asked) continue
    const [largest] = missing.sort((a, b) => b.evidence - a.evidence)
    gaps.push({ deliverable, reported: present, asked, all: own.length, largest })
  }
  if (target > 0) return { value: hit / target, target, gaps, reported }
  const isEmpty = claims.every(({ item }) => item === undefined)
  return { value: isEmpty ? 1 : 0, target, gaps, reported }
}

/** The statements without an error. A repetition is as true as what it repeats, and is counted apart. */
export function validClaims(claims: readonly Claim[], findings: readonly Finding[]): Claim[] {
  const invalid = new Set(
    findings
      .filter(({ severity, code }) => severity === 'error' && code !== 'DUPLICATE_ITEM')
      .map(({ path }) => statementOf(path)),
  )
  return claims.filter(({ path }) => !invalid.has(path))
}

/** `/sections/0/items/3` of `/sections/0/items/3/text`. */
export const statementOf = (path: string): string =>
  /^\/summary\/\d+|^\/sections\/\d+\/items\/\d+/.exec(path)?.[0] ?? path

/** What a gap is, for people. */
export function gapReason(runPackage: RunPackage, { deliverable, largest, ...gap }: Gap): string {
  const label = labelOf(runPackage, 'deliverables', deliverable)
  const room = gap.asked < gap.all ? `, of ${gap.all} with evidence` : ''
  const cell = largest
    ? `; not ${labelOf(runPackage, 'regions', largest.region)} × ${labelOf(runPackage, 'links', largest.link)}, which has ${itemCount(largest.evidence)} of evidence`
    : ''
  return `${label}: ${gap.reported} of ${gap.asked} cells are reported${room}${cell}`
}

/** `1 item`, `3 items`. */
export const itemCount = (count: number): string => `${count} ${count === 1 ? 'item' : 'items'}`
