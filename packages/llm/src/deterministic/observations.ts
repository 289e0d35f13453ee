import type { EvidenceMatch } from '@almanac/domain'
import { longDate } from './calendar-date.ts'
import type { Filed } from './grouping.ts'
import type { DraftItem, Setting, Topic } from './section.ts'
import { leader, tally } from './tally.ts'
import { isNear, nearDays } from './wording.ts'

/** How many documents an interpretation cites, as examples of those it counts. */
const examples = 5

/** An interpretation, and what it says of whom, so that a later section can say "here as well". */
export interface Observation {
  about: string
  item: DraftItem
}

/**
 * What the counts of a topic say together, as at most two interpretations: when its comment periods
 * close, and which link, publisher or region stands out. `before` is what earlier sections said.
 */
export function observations(
  topic: Topic,
  setting: Setting,
  before: ReadonlySet<string>,
): Observation[] {
  const link = leadingLink(topic, setting, before)
  const found = [
    closingSoon(topic, setting),
    link?.observation,
    leadingPublisher(topic, setting, link?.publisher),
    leadingRegion(topic, setting, before),
  ]
  return found.filter((observation) => observation !== undefined).slice(0, 2)
}

function closingSoon({ deadlines, filed }: Topic, { end }: Setting): Observation | undefined {
  const near = filed.filter(({ reading }) => deadlines && isNear(reading, end))
  if (near.length < 3) return undefined
  const days = near.flatMap(({ reading }) => reading.closes ?? []).sort()
  const span = `between ${longDate(days[0] ?? end)} and ${longDate(days.at(-1) ?? end)}`
  const on = days[0] === days.at(-1) ? `on ${longDate(days[0] ?? end)}` : span
  const share =
    near.length === filed.length
      ? `All ${filed.length} comment periods`
      : `${near.length} of the ${filed.length} comment periods`
  const text = `${share} close within ${nearDays} days of the end of this period, ${on}.`
  return { about: 'days', item: interpretation(text, near, () => true) }
}

/** The link that stands out, and the publisher that most of its documents come from. */
function leadingLink(
  { filed }: Topic,
  { labels, isFallback, noun }: Setting,
  before: ReadonlySet<string>,
): { observation: Observation; publisher: string | undefined } | undefined {
  const links = tally(filed, ({ matches }) => matches.map(({ link }) => link))
  const top = leader(
    links.filter(({ key }) => !isFallback('links', key)),
    filed.length,
  )
  if (!top || links.length < 2) return undefined
  const count = top.things.length
  const [most] = tally(top.things, ({ reading }) => [reading.publisher])
  const from = most && most.things.length >= 0.8 * count ? most : undefined
  const by = !from
    ? ''
    : from.things.length === count
      ? `, all from ${from.key}`
      : `, ${from.things.length} of them from ${from.key}`
  const about = `link ${top.key}`
  const where = before.has(about) ? 'here as well' : 'in this section'
  const text = `${labels.link(top.key)} drew the most attention ${where}: ${count} of ${filed.length} ${noun}s${by}.`
  const item = interpretation(text, top.things, ({ link }) => link === top.key)
  return { observation: { about, item }, publisher: from?.key }
}

function leadingPublisher(
  { filed }: Topic,
  { noun }: Setting,
  told: string | undefined,
): Observation | undefined {
  const publishers = tally(filed, ({ reading }) => [reading.publisher])
  const top = leader(publishers, filed.length)
  if (!top || top.key === told || publishers.length < 2) return undefined
  const text = `No publisher is named more often than ${top.key}: ${top.things.length} of ${filed.length} ${noun}s come from it.`
  return { about: `publisher ${top.key}`, item: interpretation(text, top.things, () => true) }
}

function leadingRegion(
  { filed }: Topic,
  { labels, isFallback, noun }: Setting,
  before: ReadonlySet<string>,
): Observation | undefined {
  const regions = tally(filed, ({ matches }) => matches.map(({ region }) => region))
  const named = regions.filter(({ key }) => !isFallback('regions', key))
  const [top, next] = named
  if (!top || regions.length < 2 || top.things.length < 3) return undefined
  if (top.things.length === next?.things.length) return undefined
  const about = `region ${top.key}`
  const where = before.has(about) ? ' here as well' : ''
  const text = `Of the regions, ${labels.region(top.key)} is named most often${where}: in ${top.things.length} of ${filed.length} ${noun}s.`
  return { about, item: interpretation(text, top.things, ({ region }) => region === top.key) }
}

/** An interpretation in the cell that most of `filed` have, among the cells that it may stand in. */
function interpretation(
  text: string,
  filed: readonly Filed[],
  allowed: (match: EvidenceMatch) => boolean,
): DraftItem {
  const cells = tally(filed, ({ matches }) =>
    matches.filter(allowed).map(({ region, link }) => `${region} ${link}`),
  )
  const [region = '', link = ''] = (cells[0]?.key ?? '').split(' ')
  const inCell = new Set(cells[0]?.things)
  const cited = [...inCell, ...filed.filter((one) => !inCell.has(one))].slice(0, examples)
  const evidence = cited.map(({ reading }) => reading.evidence.id)
  return { kind: 'interpretation', region, link, text, evidence }
}
