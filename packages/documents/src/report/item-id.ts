import { sha256 } from '@almanac/domain/hash'
import type { ReportDraft, ReportSection } from './schema.ts'

type DraftSection = ReportDraft['sections'][number]

/**
 * Gives every item an id made from what it says and cites: the same in every process, unchanged when
 * items or citations are put in another order, and unique within the report (a repeated item gets
 * the hash of its second saying, and so on).
 */
export function withItemIds(sections: readonly DraftSection[]): ReportSection[] {
  const taken = new Set<string>()
  return sections.map(({ deliverable, quiet, items }) => ({
    deliverable,
    quiet,
    items: items.map((item) => {
      const said = [deliverable, item.kind, item.region, item.link, item.text]
      const cited = [...new Set(item.evidence)].sort()
      for (let saying = 1; ; saying += 1) {
        const id = `i${sha256(JSON.stringify([said, cited, saying])).slice(0, 12)}`
        if (taken.has(id)) continue
        taken.add(id)
        return { id, ...item }
      }
    }),
  }))
}
