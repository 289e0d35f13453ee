import type { Match } from './cells.ts'
import { cellOf, reportedCells } from './cells.ts'
import type { DraftSection, Improve, Material } from './material.ts'
import { itemsOf, summaryLines } from './material.ts'
import type { Topic } from '../section.ts'

/**
 * Reports what is not reported: sections that are missing, or quiet over evidence, and in the others the
 * cells that no item covers, as far as there is room; a summary where there is none.
 */
export const closeCoverageGaps: Improve = (material) => {
  const { report, topics } = material
  const known = new Set(topics.map(({ deliverable }) => deliverable))
  const strangers = report.sections.filter(({ deliverable }) => !known.has(deliverable))
  const sections = topics.flatMap((topic) => {
    const own = report.sections.filter(({ deliverable }) => deliverable === topic.deliverable)
    const [first = { deliverable: topic.deliverable, quiet: true, items: [] }, ...others] = own
    return [completed(material, topic, first, others), ...others]
  })
  return {
    summary: report.summary.length > 0 ? report.summary : summaryLines(material),
    sections: [...sections, ...strangers],
  }
}

function completed(
  material: Material,
  topic: Topic,
  section: DraftSection,
  others: readonly DraftSection[],
): DraftSection {
  if (topic.filed.length === 0)
    return section.items.length === 0 ? { ...section, quiet: true } : section
  const items = [section, ...others].flatMap((one) => one.items)
  const reported = reportedCells(topic, items)
  const isOpen = (match: Match) => !reported.has(cellOf(match))
  const room = material.runPackage.limits.maxItemsPerSection - items.length
  const missing = room < 1 ? [] : itemsOf(material, topic, room, (f) => f.matches.some(isOpen))
  return { ...section, quiet: false, items: [...section.items, ...missing] }
}
