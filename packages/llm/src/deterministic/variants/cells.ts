import type { DraftItem, Topic } from '../section.ts'

export interface Match {
  region: string
  link: string
}

export const cellOf = ({ region, link }: Match): string => `${region}/${link}`

/** An item that cites more than this is a list: it reports its own cell only. */
const mostShared = 6

/**
 * The cells of a topic that items report: those of what they cite, of an item that stands in one of
 * them and cites nothing that the topic lacks.
 */
export function reportedCells(topic: Topic, items: readonly DraftItem[]): Set<string> {
  const matches = new Map(topic.filed.map((filed) => [filed.reading.evidence.id, filed.matches]))
  return new Set(
    items.flatMap((item) => {
      const cites = [...new Set(item.evidence)]
      const cells = cites.flatMap((id) => (matches.get(id) ?? []).map(cellOf))
      const stands = cites.every((id) => matches.has(id)) && cells.includes(cellOf(item))
      if (!stands) return []
      return cites.length > mostShared ? [cellOf(item)] : cells
    }),
  )
}
