import type { ReportDraft } from '@almanac/documents'
import type { Day } from './calendar-date.ts'
import { compareCells } from './cell.ts'
import { compare, groupReadings, narrowed, type Filed, type Group } from './grouping.ts'
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
  isFallback: (axis: 'regions' | 'links', key: string) => boolean
  labels: Record<'deliverable' | 'region' | 'link', (key: string) => string>
  /** What a piece of evidence is called: `document` where it has a type, else `publication`. */
  noun: string
  /** What one item may hold. */
  limits: { characters: number; citations: number }
}

/**
 * The items that a topic's evidence makes, best first, at most `room` (at least 1); where that is too
 * little, the last item says how much is left out.
 */
export function topicItems(topic: Topic, setting: Setting, room: number): DraftItem[] {
  const { deadlines, filed } = topic
  const write = (readings: readonly Reading[]) =>
    deadlines ? deadlineText(readings, setting.end) : publicationText(readings, setting.end)
  const apart = ({ closes }: Reading) => (deadlines ? (closes ?? '') : String(closes !== undefined))
  const fits = (readings: readonly Reading[]) =>
    readings.length <= setting.limits.citations &&
    write(readings).length <= setting.limits.characters
  const ranked = groupReadings(filed, apart)
    .flatMap((group) => split(group, fits))
    .sort(ranking(topic, setting))
  const groups = narrowed(ranked, room, apart, fits)
  const shown = groups.length > room ? groups.slice(0, room - 1) : groups
  const items = shown.map(({ cell: { region, link }, readings }): DraftItem => {
    const implied = deadlines && readings.every((reading) => isNear(reading, setting.end))
    const evidence = readings.map((reading) => reading.evidence.id)
    const kind = implied ? 'implication' : 'fact'
    return { kind, region, link, text: write(readings), evidence }
  })
  return [...items, ...leftOut(groups.slice(shown.length), setting)]
}

/** Splits a group that one item cannot tell, in its order; a single reading always fits. */
function split(
  { cell, readings }: Group,
  fits: (readings: readonly Reading[]) => boolean,
): Group[] {
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
function leftOut(groups: readonly Group[], { noun, limits }: Setting): DraftItem[] {
  const readings = groups.flatMap((group) => group.readings)
  const [first] = readings
  return groups.slice(0, 1).flatMap(({ cell: { region, link } }) => {
    if (!first) return []
    const more = readings.length === 1 ? `1 more ${noun}` : `${readings.length} more ${noun}s`
    const verb = readings.length === 1 ? 'belongs' : 'belong'
    const such = readings.length === 1 ? '' : ', such as'
    const text = `${more} ${verb} here and found no room${such}: ${quotedTitle(first)}`
    const evidence = readings.slice(0, limits.citations).map((reading) => reading.evidence.id)
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
