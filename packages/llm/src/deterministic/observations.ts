import type { EvidenceMatch } from '@almanac/domain'
import { longDate } from './calendar-date.ts'
import { compare, type Filed } from './grouping.ts'
import type { DraftItem, Setting, Topic } from './section.ts'
import { leader, tally } from './tally.ts'

/** How many documents an interpretation cites, as examples of those it counts. */
const examples = 5

/** An interpretation, what it is about, and the ids of the evidence that it counts. */
export interface Observation {
  about: string
  counted: string[]
  item: DraftItem
}

/** What earlier sections observed: ids by what was said about them. */
export type Observed = ReadonlyMap<string, ReadonlySet<string>>

/**
 * What the counts of a topic say together, as at most two interpretations: when its comment periods
 * close, and which link, publisher or region stands out. What an earlier section has counted is not
 * counted again; a leader with other evidence leads "here as well".
 */
export function observations(topic: Topic, setting: Setting, before: Observed): Observation[] {
  const link = leadingLink(topic, setting, before)
  const found = [
    closingDays(topic, setting),
    link?.observation,
    leadingPublisher(topic, setting, link?.publisher),
    leadingRegion(topic, setting, before),
  ]
  const isNew = ({ about, counted }: Observation) =>
    !counted.every((id) => before.get(about)?.has(id))
  return found.flatMap((one) => (one && isNew(one) ? [one] : [])).slice(0, 2)
}

/** The span of a topic's comment periods, and the day on which most of them close. */
function closingDays({ deadlines, filed }: Topic, { end }: Setting): Observation | undefined {
  const open = filed.filter(({ reading }) => deadlines && (reading.closes ?? '') >= end)
  const days = tally(open, ({ reading }) => [reading.closes])
  const top = leader(days, open.length)
  const [first, last] = [...days].sort((a, b) => compare(a.key, b.key)).flatMap(ends)
  if (!first || !last || first === last) return undefined
  const span = `Comment periods close between ${longDate(first.key)} and ${longDate(last.key)}`
  const most = top ? `, more of them on ${longDate(top.key)} than on any other day` : ''
  const grounds = [...first.things.slice(0, 1), ...last.things.slice(0, 1), ...(top?.things ?? [])]
  return observation('days', `${span}${most}.`, open, { grounds })
}

const ends = <T>(thing: T, at: number, all: readonly T[]): T[] =>
  at === 0 || at === all.length - 1 ? [thing] : []

/** The link that stands out, and the publisher that most of its documents come from. */
function leadingLink(
  { filed }: Topic,
  { labels, standsAlone, noun }: Setting,
  before: Observed,
): { observation: Observation; publisher: string | undefined } | undefined {
  const links = tally(filed, ({ matches }) => matches.map(({ link }) => link))
  const top = leader(
    links.filter(({ key }) => standsAlone('links', key)),
    filed.length,
  )
  if (!top || top.things.length === filed.length) return undefined
  const count = top.things.length
  const [most] = tally(top.things, ({ reading }) => [reading.publisher])
  const from = most && 2 * most.things.length > count ? most : undefined
  const by = !from ? '' : `, ${from.things.length === count ? 'all' : 'most'} from ${from.key}`
  const about = `link ${top.key}`
  const where = before.has(about) ? 'here as well' : 'in this section'
  const text = `${labels.link(top.key)} drew the most attention ${where}: ${count} of ${filed.length} ${noun}s${by}.`
  const allowed = ({ link }: EvidenceMatch) => link === top.key
  return { observation: observation(about, text, top.things, { allowed }), publisher: from?.key }
}

function leadingPublisher(
  { filed }: Topic,
  { noun }: Setting,
  told: string | undefined,
): Observation | undefined {
  const publishers = tally(filed, ({ reading }) => [reading.publisher])
  const top = leader(publishers, filed.length)
  if (!top || top.key === told || publishers.length < 2) return undefined
  const text = `${top.key} published more of these ${filed.length} ${noun}s than anybody else.`
  return observation(`publisher ${top.key}`, text, top.things)
}

function leadingRegion(
  { filed }: Topic,
  { labels, standsAlone, noun }: Setting,
  before: Observed,
): Observation | undefined {
  const regions = tally(filed, ({ matches }) => matches.map(({ region }) => region))
  const named = regions.filter(({ key }) => standsAlone('regions', key))
  const [top, next] = named
  const count = top?.things.length ?? 0
  if (!top || count < 3 || count === filed.length || count === next?.things.length) return undefined
  const about = `region ${top.key}`
  const where = before.has(about) ? ' here as well' : ''
  const text = `Of the regions, ${labels.region(top.key)} is named most often${where}: in ${count} of ${filed.length} ${noun}s.`
  return observation(about, text, top.things, { allowed: ({ region }) => region === top.key })
}

/**
 * An interpretation of `counted`, in the cell that most of it has, among the cells that it may stand
 * in. It cites its grounds, as examples the first few of what it counts, and one item of its cell.
 */
function observation(
  about: string,
  text: string,
  counted: readonly Filed[],
  {
    grounds = counted,
    allowed = () => true,
  }: { grounds?: readonly Filed[]; allowed?: (match: EvidenceMatch) => boolean } = {},
): Observation {
  const [cell] = tally(counted, ({ matches }) =>
    matches.filter(allowed).map(({ region, link }) => `${region} ${link}`),
  )
  const [region = '', link = ''] = (cell?.key ?? '').split(' ')
  const cited = new Set([...grounds.slice(0, examples), ...(cell?.things.slice(0, 1) ?? [])])
  const evidence = [...cited].map(({ reading }) => reading.evidence.id)
  return {
    about,
    counted: counted.map(({ reading }) => reading.evidence.id),
    item: { kind: 'interpretation', region, link, text, evidence },
  }
}
