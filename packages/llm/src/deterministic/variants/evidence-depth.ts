import type { FindingCode } from '@almanac/domain'
import { cellOf } from './cells.ts'
import {
  folded,
  itemPath,
  itemsCiting,
  itemsOf,
  knownIds,
  summaryLines,
  topicNamed,
  type DraftLine,
  type Improve,
  type Material,
} from './material.ts'
import type { DraftItem, Topic } from '../section.ts'

/**
 * Puts the statements that the brief names on evidence: unknown citations go, what a text quotes is
 * cited, an item moves to the cell of what it cites, and where its words have no ground, they become
 * what the cited evidence says. A statement that nothing in the package supports is left out.
 */
export const deepenEvidence: Improve = (material) => {
  const { report, faults } = material
  const lines = summaryLines(material)
  const unused = lines.filter(({ text }) => !report.summary.some((line) => line.text === text))
  const summary = report.summary.flatMap((line, i) => {
    const codes = faults.get(`/summary/${i}`)
    return codes ? groundedLine(material, line, codes, unused) : [line]
  })
  const sections = report.sections.map((section, s) => {
    const topic = topicNamed(material, section.deliverable)
    if (!topic) return section
    const items = section.items.flatMap((item, i) => {
      const codes = faults.get(itemPath(s, i))
      return codes ? groundedItem(material, topic, item, codes) : [item]
    })
    const room = material.runPackage.limits.maxItemsPerSection
    const isEmptied = items.length === 0 && section.items.length > 0
    return { ...section, items: isEmptied ? itemsOf(material, topic, room) : items }
  })
  return { summary: summary.length > 0 ? summary : lines, sections }
}

function groundedLine(
  material: Material,
  line: DraftLine,
  codes: ReadonlySet<FindingCode>,
  unused: DraftLine[],
): DraftLine[] {
  const evidence = knownIds(material, line.evidence)
  const quoted = evidence.length > 0 ? evidence : quotedIn(material.readings, line.text)
  if (!codes.has('UNGROUNDED') && quoted.length > 0) return [{ ...line, evidence: quoted }]
  const instead = unused.shift()
  return instead ? [instead] : []
}

function groundedItem(
  material: Material,
  topic: Topic,
  item: DraftItem,
  codes: ReadonlySet<FindingCode>,
): DraftItem[] {
  const filed = new Map(topic.filed.map((one) => [one.reading.evidence.id, one]))
  const known = item.evidence.filter((id, i, all) => filed.has(id) && all.indexOf(id) === i)
  const cites =
    known.length > 0
      ? known
      : quotedIn(
          topic.filed.map(({ reading }) => reading),
          item.text,
        )
  if (cites.length === 0) return []
  if (codes.has('UNGROUNDED')) return itemsCiting(material, topic, cites, 1)
  const standsIn = (id: string, at: DraftItem) =>
    (filed.get(id)?.matches ?? []).some((match) => cellOf(match) === cellOf(at))
  if (cites.some((id) => standsIn(id, item))) {
    // A fact may cite nothing from beside its cell; what is left says the same, or is said anew.
    const inCell = cites.filter((id) => item.kind !== 'fact' || standsIn(id, item))
    return inCell.length === cites.length
      ? [{ ...item, evidence: cites }]
      : itemsCiting(material, topic, inCell, 1)
  }
  const cell = filed.get(cites[0] ?? '')?.cell
  if (!cell) return []
  const moved = { ...item, region: cell.region, link: cell.link, evidence: cites }
  const isApart = moved.kind === 'fact' && !cites.every((id) => standsIn(id, moved))
  return isApart ? itemsCiting(material, topic, cites) : [moved]
}

/** The ids of the readings whose title or docket stands in a text. */
function quotedIn(readings: readonly Topic['filed'][number]['reading'][], text: string): string[] {
  const words = ` ${folded(text)} `
  const holds = (part: string | undefined) =>
    part !== undefined && folded(part) !== '' && words.includes(` ${folded(part)} `)
  return readings
    .filter(({ title, docket }) => holds(title) || holds(docket))
    .map(({ evidence }) => evidence.id)
}
