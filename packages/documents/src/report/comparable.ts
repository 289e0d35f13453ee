import type { Outline, RunPackage } from '@almanac/domain'
import { reportOutline } from './outline.ts'
import type { ReportContent } from './schema.ts'

/**
 * The sections of a report and their items, as far as they lie in the scope of the package. The summary
 * restates items, and whether a section is quiet follows from them.
 */
export function comparableReport(
  content: ReportContent,
  { scope }: Pick<RunPackage, 'scope'>,
): Outline {
  const [deliverables, regions, links] = [
    new Set<unknown>(scope?.deliverables),
    new Set<unknown>(scope?.regions),
    new Set<unknown>(scope?.links),
  ]
  const known = new Set<string>()
  return reportOutline(content).flatMap((element) => {
    const { level, id, parentId, value } = element
    if (level === 'section' && deliverables.has(value['deliverable'])) {
      known.add(id)
      return [{ ...element, value: { deliverable: value['deliverable'] ?? null } }]
    }
    const isItem = level === 'item' && parentId !== null && known.has(parentId)
    return isItem && regions.has(value['region']) && links.has(value['link']) ? [element] : []
  })
}
