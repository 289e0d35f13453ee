import { reportDraft, type ReportContent, type ReportDraft } from '@almanac/documents'
import type { FindingCode, RunPackage, VariantBrief } from '@almanac/domain'
import { readPackage, type PackageReading } from '../compose-report.ts'
import { topicItems, type DraftItem, type Topic } from '../section.ts'
import { summarise } from '../summary.ts'

export type DraftSection = ReportDraft['sections'][number]
export type DraftLine = ReportDraft['summary'][number]

/** What the strategies that improve a report work with. */
export interface Material extends PackageReading {
  runPackage: RunPackage
  /** The report as it stands, to be left as it is; paths of the brief point into it. */
  report: ReportDraft
  /** Codes of the brief's findings by the path of the statement that they are about. */
  faults: ReadonlyMap<string, ReadonlySet<FindingCode>>
}

/** Turns a report into a better one, in what its strategy looks at and nothing else. */
export type Improve = (material: Material) => ReportDraft

export function materialOf(
  runPackage: RunPackage,
  { summary, sections }: ReportContent,
  brief: VariantBrief,
): Material {
  const report = reportDraft.parse({
    summary,
    sections: sections.map(({ items, ...section }) => ({
      ...section,
      items: items.map(({ id: _, ...item }) => item),
    })),
  })
  const faults = new Map<string, Set<FindingCode>>()
  for (const { path, code } of brief.findings) {
    const statement = /^\/summary\/\d+|^\/sections\/\d+\/items\/\d+/.exec(path)?.[0] ?? path
    faults.set(statement, (faults.get(statement) ?? new Set<FindingCode>()).add(code))
  }
  return { ...readPackage(runPackage), runPackage, report, faults }
}

export const itemPath = (section: number, item: number): string =>
  `/sections/${section}/items/${item}`

export const topicNamed = ({ topics }: Material, deliverable: string): Topic | undefined =>
  topics.find((topic) => topic.deliverable === deliverable)

/** The ids of `evidence` that the package holds, each once. */
export const knownIds = ({ readings }: Material, evidence: readonly string[]): string[] => {
  const known = new Set(readings.map((reading) => reading.evidence.id))
  return [...new Set(evidence)].filter((id) => known.has(id))
}

/**
 * The items that the composer would write of the evidence that `takes`, at most `room` (at least 1);
 * none where the topic has no such evidence.
 */
export function itemsOf(
  { setting }: Material,
  topic: Topic,
  room: number,
  takes: (filed: Topic['filed'][number]) => boolean = () => true,
): DraftItem[] {
  const filed = topic.filed.filter(takes)
  return filed.length === 0 ? [] : topicItems({ ...topic, filed }, setting, Math.max(1, room))
}

/** What the composer would write of just these ids, where the topic has them. */
export const itemsCiting = (
  material: Material,
  topic: Topic,
  ids: readonly string[],
  room = ids.length,
): DraftItem[] => itemsOf(material, topic, room, ({ reading }) => ids.includes(reading.evidence.id))

/** The lines of the composer's own summary. */
export const summaryLines = ({ readings, topics, setting, runPackage }: Material): DraftLine[] =>
  summarise(readings, topics, setting, runPackage.limits.maxSummaryLines)

/** The words of a text; case and punctuation make no other statement of it. */
export const folded = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
