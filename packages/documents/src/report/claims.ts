import type { RunPackage } from '@almanac/domain'
import { labelOf } from './package-index.ts'
import type { ReportContent, ReportItem } from './schema.ts'

/** A statement of a report that can be true or false: an item, or a line of the summary. */
export interface Claim {
  /** JSON pointer to the statement. */
  path: string
  text: string
  /** The ids that it cites, as they stand. */
  evidence: readonly string[]
  /** The distinct ids that it cites, in order. */
  cites: readonly string[]
  /** The item and its section's deliverable; undefined for a line of the summary. */
  item?: { deliverable: string; section: number } & ReportItem
}

/** Every statement of a report: the summary's lines, then the items of each section. */
export function claimsOf({ summary, sections }: ReportContent): Claim[] {
  return [
    ...summary.map(({ text, evidence }, i) => ({
      path: `/summary/${i}`,
      text,
      evidence,
      cites: [...new Set(evidence)],
    })),
    ...sections.flatMap(({ deliverable, items }, section) =>
      items.map((item, i) => ({
        path: `/sections/${section}/items/${i}`,
        text: item.text,
        evidence: item.evidence,
        cites: [...new Set(item.evidence)],
        item: { ...item, deliverable, section },
      })),
    ),
  ]
}

const place = /^\/(?:summary\/(\d+)|sections\/(\d+)(?:\/items\/(\d+))?)/

/** What people call the place of a JSON pointer: `Final rules, item 3`, `Summary, line 2`. */
export function placeName(path: string, content: ReportContent, runPackage: RunPackage): string {
  const [, line, section, item] = place.exec(path) ?? []
  if (line !== undefined) return `Summary, line ${Number(line) + 1}`
  if (section === undefined) return path.startsWith('/summary') ? 'Summary' : 'Report'
  const { deliverable = '' } = content.sections[Number(section)] ?? {}
  const label = labelOf(runPackage, 'deliverables', deliverable)
  return item === undefined ? label : `${label}, item ${Number(item) + 1}`
}
