import { statementLimits, type ReportDraft } from '@almanac/documents'
import { longDate } from './calendar-date.ts'
import type { Reading } from './reading.ts'
import { closed, list } from './quotation.ts'
import type { Setting, Topic } from './section.ts'
import { leader, tally, type Tally } from './tally.ts'
import { names, quotedTitle } from './wording.ts'

type Line = ReportDraft['summary'][number]

/** How many documents a line cites of each thing that it names. */
const examples = 3

/**
 * The report in at most `most` lines: how much came of what, which link and which region stand out,
 * when the next comment period closes, what was withdrawn, and where that says little, the headlines.
 */
export function summarise(
  readings: readonly Reading[],
  topics: readonly Topic[],
  setting: Setting,
  most: number,
): Line[] {
  if (readings.length === 0) return [quietLine]
  const lines = [
    howMuch(readings, topics, setting),
    leading(readings, setting, 'links'),
    nextDeadline(readings, setting),
    leading(readings, setting, 'regions'),
    withdrawn(readings),
  ].filter((line) => line !== undefined)
  const open = Math.min(3, most) - lines.length
  return [...lines, ...headlines(topics, setting, open)].slice(0, Math.max(1, most))
}

const quietLine: Line = {
  text: 'A quiet period: no qualifying evidence was published for any part of this report.',
  evidence: [],
}

const ids = (readings: readonly Reading[]): string[] => readings.map(({ evidence }) => evidence.id)

const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

function howMuch(
  readings: readonly Reading[],
  topics: readonly Topic[],
  { labels, noun }: Setting,
): Line {
  const label = ({ deliverable }: Topic) => labels.deliverable(deliverable)
  const loud = topics.filter(({ filed }) => filed.length > 0)
  const quiet = topics.filter(({ filed }) => filed.length === 0)
  const sum = loud.reduce((total, { filed }) => total + filed.length, 0)
  const twice = sum > readings.length ? ' Some stand under more than one heading.' : ''
  const [only, ...others] = loud
  const write = (named: number) => {
    const parts = loud.slice(0, named).map((topic) => `${topic.filed.length} under ${label(topic)}`)
    const rest = named < loud.length ? ['the rest under other headings'] : []
    const where =
      only && others.length === 0 ? `all under ${label(only)}` : list([...parts, ...rest])
    const silent = quiet.slice(0, named).map(label)
    const more = named < quiet.length ? ['other headings'] : []
    const nothing = quiet.length > 0 ? `; nothing under ${list([...silent, ...more])}` : ''
    return `This report rests on ${many(readings.length, noun)}: ${where}${nothing}.${twice}`
  }
  let named = Math.max(loud.length, quiet.length)
  while (named > 1 && write(named).length > statementLimits.summaryCharacters) named -= 1
  const evidence = loud.flatMap(({ filed }) => filed.slice(0, 1).map(({ reading }) => reading))
  const cited = ids([...new Set(evidence)]).slice(0, statementLimits.citations)
  return { text: write(named), evidence: cited }
}

/** The link or region that most of the evidence concerns, and the one after it. */
function leading(
  readings: readonly Reading[],
  { standsAlone, labels, noun }: Setting,
  axis: 'links' | 'regions',
): Line | undefined {
  const keyOf = axis === 'links' ? 'link' : 'region'
  const tallies = tally(readings, ({ evidence }) => evidence.matches.map((match) => match[keyOf]))
  const named = tallies.filter(({ key }) => standsAlone(axis, key))
  const top = leader(named, axis === 'links' ? readings.length : 0)
  if (!top || top.things.length === readings.length) return undefined
  const next = named[1]
  const label = ({ key }: Tally<Reading>) => labels[keyOf](key)
  const ahead = next ? `, ahead of ${label(next)} with ${next.things.length}` : ''
  const [of, verb] =
    axis === 'links'
      ? [` of ${many(readings.length, noun)}`, 'drew the most attention']
      : [` ${noun}s`, 'is the region named most often']
  const evidence = [top, ...(next ? [next] : [])].flatMap(({ things }) => things.slice(0, examples))
  return {
    text: `${label(top)} ${verb}, with ${top.things.length}${of}${ahead}.`,
    evidence: ids([...new Set(evidence)]),
  }
}

function nextDeadline(readings: readonly Reading[], { end }: Setting): Line | undefined {
  const open = readings.filter(
    ({ closes, evidence }) => closes !== undefined && closes >= end && !evidence.withdrawn,
  )
  const day = open.flatMap(({ closes }) => closes ?? []).sort()[0]
  if (day === undefined) return undefined
  const first = open.filter(({ closes }) => closes === day)
  const shown = first.slice(0, 2)
  const titles =
    first.length > shown.length ? shown.map(titled).join(', ') : list(shown.map(titled))
  const others = first.length > shown.length ? ' and others' : ''
  return {
    text: closed(
      `The first comment deadline after this period is ${longDate(day)}: ${titles}${others}`,
    ),
    evidence: ids(first.slice(0, examples)),
  }
}

function withdrawn(readings: readonly Reading[]): Line | undefined {
  const taken = readings.filter(({ evidence }) => evidence.withdrawn).slice(0, examples)
  if (taken.length === 0) return undefined
  return { text: closed(`Withdrawn: ${list(taken.map(titled))}`), evidence: ids(taken) }
}

function headlines(topics: readonly Topic[], { labels }: Setting, count: number): Line[] {
  return topics
    .flatMap(({ deliverable, filed }) =>
      filed.slice(0, 1).map(({ reading }) => ({
        text: closed(`${labels.deliverable(deliverable)}: ${titled(reading)}`),
        evidence: ids([reading]),
      })),
    )
    .slice(0, Math.max(0, count))
}

const titled = (reading: Reading): string => {
  const by = names([reading])
  return `${quotedTitle(reading, 110)}${by === '' ? '' : ` (${by})`}`
}
