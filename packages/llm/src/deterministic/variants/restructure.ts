import { statementLimits } from '@almanac/documents'
import type { FindingCode } from '@almanac/domain'
import { cellOf } from './cells.ts'
import {
  folded,
  itemPath,
  itemsCiting,
  summaryLines,
  topicNamed,
  type DraftLine,
  type DraftSection,
  type Improve,
  type Material,
} from './material.ts'
import type { DraftItem } from '../section.ts'

/** Findings about the words of a statement, which only other words can close. */
const inWords: readonly FindingCode[] = ['OUT_OF_SCOPE_TEXT', 'UNSAFE_TEXT']

/**
 * Puts the report in order: sections in the order of the scope, one a deliverable, none beside it; each
 * thing said once, with all that it rests on; what strays from the scope is told as its evidence has it.
 */
export const restructureReport: Improve = (material) => {
  const { report, faults, topics } = material
  const isFaulty = (path: string) => inWords.some((code) => faults.get(path)?.has(code))
  const cleaned = report.sections.map((section, s) => ({
    ...section,
    items: section.items.flatMap((item, i) =>
      isFaulty(itemPath(s, i)) ? retold(material, section, item) : [item],
    ),
  }))
  const fresh = summaryLines(material)
  const summary = report.summary.flatMap((line, i) => {
    if (!isFaulty(`/summary/${i}`)) return [line]
    const instead = fresh.find(({ text }) => !report.summary.some((one) => one.text === text))
    return instead ? [instead] : []
  })
  const sections = topics.flatMap(({ deliverable, filed }): DraftSection[] => {
    const own = cleaned.filter((section) => section.deliverable === deliverable)
    if (own.length === 0) return []
    const items = joined(own.flatMap((section) => section.items))
    const quiet = filed.length === 0 && items.length === 0
    return [{ deliverable, quiet: own.length > 1 ? quiet : own.every((one) => one.quiet), items }]
  })
  return { summary: distinct(summary.length > 0 ? summary : fresh), sections }
}

function retold(material: Material, { deliverable }: DraftSection, item: DraftItem): DraftItem[] {
  const topic = topicNamed(material, deliverable)
  return topic ? itemsCiting(material, topic, item.evidence, 1) : []
}

/** Items of one kind that say the same become one, which cites what all of them cite in its cell. */
function joined(items: readonly DraftItem[]): DraftItem[] {
  const groups = Map.groupBy(items, ({ kind, text }) => `${kind} ${folded(text)}`)
  return [...groups.values()].flatMap((alike) =>
    alike.slice(0, 1).map((first) => {
      const together = alike.filter((item) => cellOf(item) === cellOf(first))
      const evidence = [...new Set(together.flatMap((item) => item.evidence))]
      return { ...first, evidence: evidence.slice(0, statementLimits.citations) }
    }),
  )
}

function distinct(lines: readonly DraftLine[]): DraftLine[] {
  const groups = Map.groupBy(lines, ({ text }) => folded(text))
  return [...groups.values()].flatMap((alike) =>
    alike.slice(0, 1).map((line) => ({ ...line, evidence: [...new Set(line.evidence)] })),
  )
}
