import { statementLimits, type ReportDraft } from '@almanac/documents'
import type { Day } from './calendar-date.ts'
import { compareCells } from './cell.ts'
import { compare, groupReadings, narrowed, type Filed, type Group } from './grouping.ts'
import { closed } from './quotation.ts'
import type { Reading } from './reading.ts'
import { deadlineText, isNear, publicationText, quotedTitle } from './wording.ts'

export type DraftItem = ReportDraft['sections'][number]['items'][number]

/** A deliverable with the readings that match it. */
export interface Topic {
  deliverable: string
  /** Whether it is about closing days: then it takes only evidence that has one. */
  deadlines: boolean
  filed: Filed[]
}

/** What the sections of one report share. */
export interface Setting {
  /** The day, in the specification's zone, on which the window ends; it is not part of it. */
  end: Day
  /** Whether counts may single out an entry of the scope. */
  standsAlone: (axis: 'regions' | 'links', key: string) => boolean
  labels: Record<'deliverable' | 'region' | 'link', (key: string) => string>
  /** What a piece of evidence is called: `document` where it has a type, else `publication`. */
  noun: string
}

/** What one item may hold at most, and what reads well; past `shared` citations it is a list. */
const most = { ...statementLimits, words: 70, shared: 6 }

/**
 * The items that a topic's evidence makes, best first, at most `room` (at least 1); where that is too
 * little, the last item says how much is left out.
 */
export function topicItems(topic: Topic, setting: Setting, room: number): DraftItem[] {
  const { deadlines, filed } = topic
  const write = (readings: readonly Reading[]) =>
    deadlines ? deadlineText(readings, setting.end) : publicationText(readings, setting.end)
  const apart = ({ closes }: Reading) => (deadlines ? (closes ?? '') : String(closes !== undefined))
  const fits: Fits = (readings) =>
    readings.length <= most.citations && write(readings).length <= most.itemCharacters
  const readsWell: Fits = (readings) => {
    const isList = readings.every((reading) => cellsOf(reading, topic) === 1)
    const words = write(readings).split(' ').length
    return fits(readings) && words <= most.words && (isList || readings.length <= most.shared)
  }
  const ranked = groupReadings(filed, apart)
    .flatMap((group) => split(group, readsWell))
    .sort(ranking(topic, setting))
  const groups = narrowed(narrowed(ranked, room, apart, readsWell), room, apart, fits)
  const shown = groups.length > room ? groups.slice(0, room - 1) : groups
  const items = shown.map(({ cell: { region, link }, readings }): DraftItem => {
    const implied = deadlines && readings.every((reading) => isNear(reading, setting.end))
    const evidence = readings.map((reading) => reading.evidence.id)
    const kind = implied ? 'implication' : 'fact'
    return { kind, region, link, text: write(readings), evidence }
  })
  return [...items, ...leftOut(groups.slice(shown.length), setting)]
}

type Fits = (readings: readonly Reading[]) => boolean

const cellsOf = ({ evidence }: Reading, { deliverable }: Topic): number =>
  evidence.matches.filter((match) => match.deliverable === deliverable).length

/** Splits a group that one item cannot tell, in its order; a reading alone is never split. */
function split({ cell, readings }: Group, fits: Fits): Group[] {
  if (fits(readings)) return [{ cell, readings }]
  const parts: Reading[][] = []
  for (const reading of readings) {
    const part = parts.at(-1)
    if (part && fits([...part, reading])) part.push(reading)
    else parts.push([reading])
  }
  return parts.map((part) => ({ cell, readings: part }))
}

/** What found no room in the section, cited as far as one item may cite. */
function leftOut(groups: readonly Group[], { noun }: Setting): DraftItem[] {
  const readings = groups.flatMap((group) => group.readings)
  return groups.slice(0, 1).flatMap(({ cell: { region, link }, readings: [first] }) => {
    if (!first) return []
    const text = closed(`More ${noun}s belong here than find room, such as ${quotedTitle(first)}`)
    const evidence = readings.slice(0, most.citations).map((reading) => reading.evidence.id)
    return [{ kind: 'interpretation', region, link, text, evidence } as const]
  })
}

/**
 * By closing day where the topic is about days; then named regions and links before fallbacks, a near
 * deadline before a far one, in the specification's order; then by closing day, newest first.
 */
function ranking({ deadlines }: Topic, { end }: Setting): (a: Group, b: Group) => number {
  const never = '9999-12-31'
  const closing = ({ readings }: Group) =>
    readings.reduce(
      (day, { closes = never }) => (closes >= end && closes < day ? closes : day),
      never,
    )
  const newest = ({ readings }: Group) =>
    readings.reduce(
      (at, { evidence }) => (evidence.publishedAt > at ? evidence.publishedAt : at),
      '',
    )
  const near = ({ readings }: Group) => Number(readings.some((reading) => isNear(reading, end)))
  const id = ({ readings }: Group) => readings[0]?.evidence.id ?? ''
  return (a, b) =>
    (deadlines ? compare(closing(a), closing(b)) : 0) ||
    b.cell.named - a.cell.named ||
    near(b) - near(a) ||
    compareCells(a.cell, b.cell) ||
    compare(closing(a), closing(b)) ||
    compare(newest(b), newest(a)) ||
    compare(id(a), id(b))
}
