import type { Outline, OutlineElement, PlacedElement } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { z } from 'zod'
import { element } from '../placed-element.ts'
import { uniqueIds } from '../unique-ids.ts'
import { withItemIds } from './item-id.ts'
import { reportContent, type ReportContent, type ReportItem } from './schema.ts'

const summaryId = 'summary'

/**
 * A report as elements: its metadata, the summary with its lines, the sections by deliverable with their
 * items. A line or item that is reworded is known by its cell and citations, one whose citations or cell
 * changed by its words.
 */
export function reportOutline({ kind, schemaVersion, summary, sections }: ReportContent): Outline {
  const unique = uniqueIds()
  const elements: PlacedElement[] = [
    element('metadata', unique('metadata'), null, '', { kind, schemaVersion }),
    element('section', unique(summaryId), null, '/summary', {}),
  ]
  summary.forEach(({ text, evidence }, i) => {
    const id = unique(`line:${sha256(JSON.stringify([text, evidence])).slice(0, 12)}`)
    const topics = [`line/${cited(evidence)}`, `line/${text}`]
    const path = `/summary/${i}`
    elements.push({ ...element('item', id, summaryId, path, { text, evidence }), topics })
  })
  sections.forEach(({ deliverable, quiet, items }, s) => {
    const section = unique(`section:${deliverable}`)
    elements.push(element('section', section, null, `/sections/${s}`, { deliverable, quiet }))
    items.forEach(({ id, ...value }, i) => {
      const path = `/sections/${s}/items/${i}`
      const topics = topicsOf(deliverable, value)
      elements.push({ ...element('item', unique(`item:${id}`), section, path, value), topics })
    })
  })
  return elements
}

const cited = (evidence: readonly string[]) => JSON.stringify([...new Set(evidence)].sort())

const topicsOf = (
  deliverable: string,
  { kind, region, link, text, evidence }: Omit<ReportItem, 'id'>,
): string[] => [
  `${deliverable}/${kind}/${region}/${link}/${cited(evidence)}`,
  `${deliverable}/${kind}/${text}`,
]

const shape = reportContent.shape
const sectionValue = shape.sections.element.omit({ items: true })
const itemValue = shape.sections.element.shape.items.element.omit({ id: true })
const metadataValue = z.strictObject({ kind: shape.kind, schemaVersion: shape.schemaVersion })

/**
 * The report of its elements: `reportOutline` read back. Items get the ids of what they say, so that they
 * are right after a merge too. Throws when an element's value is not of a report.
 */
export function composeReportOutline(elements: readonly OutlineElement[]): ReportContent {
  const within = Map.groupBy(elements, ({ parentId }) => parentId)
  const children = (id: string) => within.get(id) ?? []
  const top = within.get(null) ?? []
  const metadata = top.find(({ level }) => level === 'metadata')
  const sections = top.filter(({ level, id }) => level === 'section' && id !== summaryId)
  return {
    ...metadataValue.parse(metadata?.value),
    summary: children(summaryId).map(({ value }) => shape.summary.element.parse(value)),
    sections: withItemIds(
      sections.map(({ id, value }) => ({
        ...sectionValue.parse(value),
        items: children(id).map((item) => itemValue.parse(item.value)),
      })),
    ),
  }
}
