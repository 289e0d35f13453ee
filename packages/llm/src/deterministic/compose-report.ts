import type { ReportDraft } from '@almanac/documents'
import type { RunPackage } from '@almanac/domain'
import { dayOf } from './calendar-date.ts'
import { compareCells, rankCells } from './cell.ts'
import { compare, type Filed } from './grouping.ts'
import { observations } from './observations.ts'
import { readEvidence, type Reading } from './reading.ts'
import { topicItems, type Setting, type Topic } from './section.ts'
import { summarise } from './summary.ts'

/**
 * Composes a report from a run package by extraction alone: it groups, ranks, quotes, counts and
 * cites the evidence, and says what is quiet. Nothing of the evidence is written in the report's own
 * voice but names, dates and dockets; titles and sentences stand between quotation marks. Pure: no
 * clock, no randomness, no locale; equal packages give equal drafts.
 */
export function composeReport(runPackage: RunPackage): ReportDraft {
  const { limits } = runPackage
  const { readings, topics, setting } = readPackage(runPackage)
  const said = new Map<string, Set<string>>()
  const sections = topics.map((topic) => {
    const room = limits.maxItemsPerSection
    const observed = room < 4 ? [] : observations(topic, setting, said)
    for (const { about, counted } of observed)
      said.set(about, new Set([...(said.get(about) ?? []), ...counted]))
    const told = topicItems(topic, setting, Math.max(1, room - observed.length))
    return {
      deliverable: topic.deliverable,
      quiet: topic.filed.length === 0,
      items: [...told, ...observed.map(({ item }) => item)],
    }
  })
  return { summary: summarise(readings, topics, setting, limits.maxSummaryLines), sections }
}

/** A run package as the composer reads it; topics in the order of the scope. */
export interface PackageReading {
  readings: Reading[]
  topics: Topic[]
  setting: Setting
}

/** Reads the evidence of a package, and files it by deliverable. */
export function readPackage(runPackage: RunPackage): PackageReading {
  const { cadence, scope } = runPackage
  const readings = runPackage.evidence.map((item) => readEvidence(item, cadence.timeZone))
  const topics = (scope?.deliverables ?? []).map((key) => topicOf(key, readings, runPackage))
  return { readings, topics, setting: settingOf(runPackage, readings) }
}

/** The readings that match a deliverable, in the order of a report: best cell first, then the newest. */
function topicOf(key: string, readings: readonly Reading[], runPackage: RunPackage): Topic {
  const cells = rankCells(runPackage)
  const entry = runPackage.catalogue?.deliverables.find((candidate) => candidate.key === key)
  const filed = readings.flatMap((reading): Filed[] => {
    const matches = reading.evidence.matches.filter(({ deliverable }) => deliverable === key)
    return matches.length > 0 ? [{ reading, matches, cell: cells.best(matches) }] : []
  })
  const deadlines = entry?.lexicon.present?.includes('commentEndDate') ?? false
  return { deliverable: key, deadlines, filed: filed.sort(byCell) }
}

const byCell = (a: Filed, b: Filed): number =>
  compareCells(a.cell, b.cell) ||
  compare(b.reading.evidence.publishedAt, a.reading.evidence.publishedAt) ||
  compare(a.reading.evidence.id, b.reading.evidence.id)

function settingOf(runPackage: RunPackage, readings: readonly Reading[]): Setting {
  const { cadence, catalogue } = runPackage
  const cells = rankCells(runPackage)
  const label = (axis: 'deliverables' | 'regions' | 'links') => {
    const labels = new Map(catalogue?.[axis].map((entry) => [entry.key, entry.label]))
    return (key: string) => labels.get(key) ?? key
  }
  const typed = readings.filter(({ form }) => form !== 'report').length
  return {
    end: dayOf(cadence.to, cadence.timeZone) ?? cadence.to.slice(0, 10),
    standsAlone: cells.standsAlone,
    labels: {
      deliverable: label('deliverables'),
      region: label('regions'),
      link: label('links'),
    },
    noun: 2 * typed > readings.length ? 'document' : 'publication',
  }
}
