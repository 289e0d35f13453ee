import { statementLimits } from '@almanac/documents'
import { cellOf } from './cells.ts'
import {
  folded,
  itemsCiting,
  topicNamed,
  type DraftLine,
  type DraftSection,
  type Improve,
  type Material,
} from './material.ts'
import { closed, shorten } from '../quotation.ts'
import type { DraftItem } from '../section.ts'

/** More words than this are long-winded. */
const mostWords = 70

/**
 * Says the same in less: what is too long is told as the composer tells what it cites, or cut; what is
 * said twice is said once; of more items or lines than there is room for, those go that report least.
 */
export const shortenReport: Improve = (material) => {
  const { report, runPackage } = material
  const { maxSummaryLines, maxItemsPerSection } = runPackage.limits
  const lines = saidOnce(report.summary, () => '').map((line) =>
    isLong(line.text, statementLimits.summaryCharacters) ? shortLine(line) : line,
  )
  return {
    summary: lines.slice(0, runPackage.evidence.length === 0 ? 1 : maxSummaryLines),
    sections: report.sections.map((section) => {
      const items = saidOnce(section.items, ({ kind }) => kind).flatMap((item) =>
        isLong(item.text, statementLimits.itemCharacters) ||
        item.evidence.length > statementLimits.citations
          ? shortItem(material, section, item)
          : [item],
      )
      return { ...section, items: withinRoom(items, maxItemsPerSection) }
    }),
  }
}

const isLong = (text: string, most: number): boolean =>
  text.length > most || text.split(' ').length > mostWords

/** Each statement once: of those that say and cite the same, the first. */
function saidOnce<S extends DraftLine>(statements: readonly S[], kindOf: (one: S) => string): S[] {
  const said = new Set<string>()
  return statements.filter((one) => {
    const key = JSON.stringify([kindOf(one), folded(one.text), [...new Set(one.evidence)].sort()])
    return !said.has(key) && Boolean(said.add(key))
  })
}

function shortItem(material: Material, section: DraftSection, item: DraftItem): DraftItem[] {
  const topic = topicNamed(material, section.deliverable)
  const written = topic ? itemsCiting(material, topic, item.evidence, 1) : []
  const [only] = written
  const isShort = only && !isLong(only.text, statementLimits.itemCharacters)
  if (isShort && only.text.length < item.text.length) {
    // What stays a reading of facts keeps its kind and its place.
    const { kind, region, link } = item
    return [item.kind === 'fact' ? only : { ...only, kind, region, link }]
  }
  return [shortLine(item)]
}

/** A statement cut to whole sentences, or where its first is too long, inside that. */
function shortLine<S extends DraftLine>(statement: S): S {
  const words = statement.text.split(' ').slice(0, mostWords).join(' ')
  const most = Math.min(words.length, statementLimits.summaryCharacters)
  const kept = statement.text.slice(0, most)
  const end = Math.max(...['. ', '! ', '? '].map((mark) => kept.lastIndexOf(mark)))
  const text = end > 0 ? kept.slice(0, end + 1) : closed(shorten(statement.text, most))
  return { ...statement, text, evidence: statement.evidence.slice(0, statementLimits.citations) }
}

/** At most `room` items, in their order: first those that are alone in their cell. */
function withinRoom(items: readonly DraftItem[], room: number): DraftItem[] {
  if (items.length <= room) return [...items]
  const cells = new Set<string>()
  const needed = items.filter((item) => !cells.has(cellOf(item)) && cells.add(cellOf(item)))
  const ranked = [...needed, ...items.filter((item) => !needed.includes(item))]
  const kept = new Set(ranked.slice(0, room))
  return items.filter((item) => kept.has(item))
}
