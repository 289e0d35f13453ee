import { daysFrom, longDate, type Day } from './calendar-date.ts'
import { closed, firstSentence, list, quote, shorten } from './quotation.ts'
import { forms, type Reading } from './reading.ts'

/**
 * The most characters quoted of one title alone, of a title among others, and of a text; an item of
 * more characters than `item` or more words than `words` is told without its text.
 */
const quoted = { title: 300, part: 180, sentence: 260, item: 600, words: 70 }

/** The days after the end of the window within which a comment deadline is an implication. */
export const nearDays = 30

/** Whether a comment deadline lies in the `nearDays` days from `end`, the day the window ends. */
export function isNear({ closes }: Reading, end: Day): boolean {
  const days = closes === undefined ? Number.NaN : daysFrom(end, closes)
  return days >= 0 && days <= nearDays
}

/** What was published: `FAA published final rules under “Airspace Designations”: “Olney, TX” and …` */
export function publicationText(readings: readonly Reading[], end: Day): string {
  const [first, second] = readings
  if (!first) return ''
  const sentence = closed(`${statement(readings)}${what(readings)}`)
  const said = [sentence, commentsClose(readings, end)].filter(Boolean)
  const text = [sentence, second ? '' : excerpt(first), ...said.slice(1)].filter(Boolean).join(' ')
  const isShort = text.length <= quoted.item && text.split(' ').length <= quoted.words
  return isShort ? text : said.join(' ')
}

/** `FAA published final rules`, `ICIS reported`; in the passive voice where nobody is named. */
function statement(readings: readonly Reading[]): string {
  const [first, second] = readings
  if (!first) return ''
  const { form, evidence } = first
  const noun = forms[form][second ? 1 : 0]
  const who = names(readings)
  if (form === 'report' && !evidence.withdrawn) return who === '' ? 'Reported' : `${who} reported`
  const [active, passive] = evidence.withdrawn
    ? ['withdrew', 'withdrawn']
    : ['published', 'published']
  if (who !== '') return `${who} ${active} ${noun}`
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)} ${second ? 'were' : 'was'} ${passive}`
}

function what(readings: readonly Reading[]): string {
  const [first, second] = readings
  if (!first) return ''
  const titles = distinctTitles(readings)
  const common = commonClauses(titles)
  if (common) return ` under ${headed(common, '')}`
  if (titles.length > 1) return `${sharedDocket(readings)}: ${titleList(readings)}`
  const titled = second && first.form !== 'report' ? ' titled ' : ': '
  return titled + quotedTitle(first)
}

/** Until when comments are taken on documents that share one closing day. */
export function deadlineText(readings: readonly Reading[], end: Day): string {
  const [first] = readings
  if (first?.closes === undefined || first.evidence.withdrawn) return publicationText(readings, end)
  const titles = distinctTitles(readings)
  const common = commonClauses(titles)
  const date = longDate(first.closes)
  const [about, tail] = common
    ? [quote(shorten(common.head, quoted.part)) + by(readings), `: ${quotedList(common.tails)}`]
    : titles.length > 1
      ? [`several documents${by(readings, 1)}`, `: ${titleList(readings)}`]
      : [quotedTitle(first) + by(readings), '']
  return closed(
    isNear(first, end)
      ? `Those affected have until ${date} to comment on ${about}${tail}`
      : `Comments on ${about} ${first.closes < end ? 'closed' : 'close'} on ${date}${tail}`,
  )
}

/** Comment periods of documents whose days differ: the first and the last of them. */
function commentsClose(readings: readonly Reading[], end: Day): string {
  const days = readings.flatMap(({ closes }) => closes ?? []).sort()
  const [first, last] = [days[0], days.at(-1)]
  if (!first || !last || readings[0]?.evidence.withdrawn) return ''
  const verb = last < end ? 'closed' : 'close'
  return first === last
    ? `Comments ${verb} on ${longDate(first)}.`
    : `Comments ${verb} between ${longDate(first)} and ${longDate(last)}.`
}

/** Who published the readings, at most three names; '' when none of them says so. */
export function names(readings: readonly Reading[]): string {
  const all = [...new Set(readings.flatMap(({ publisher }) => publisher ?? []))]
  return all.length > 3 ? list([...all.slice(0, 2), 'others']) : list(all)
}

/** ` (EPA and NOAA)`; nothing where nobody is named, or more than `most` are. */
function by(readings: readonly Reading[], most = Number.POSITIVE_INFINITY): string {
  const publishers = new Set(readings.map(({ publisher }) => publisher))
  const named = names(readings)
  return named === '' || publishers.size > most ? '' : ` (${named})`
}

/** A reading's title between quotation marks, at most `max` characters of it. */
export const quotedTitle = ({ title }: Reading, max: number = quoted.title): string =>
  quote(shorten(title, max))

const quotedList = (parts: readonly string[]): string =>
  list(parts.map((part) => quote(shorten(part, quoted.part))))

/** Titles, those with the same first clause under it, each with its publisher where they have several. */
function titleList(readings: readonly Reading[]): string {
  const several = new Set(readings.map(({ publisher }) => publisher)).size > 1
  const clusters = Map.groupBy(
    readings,
    ({ publisher, clauses, titleKey }) =>
      `${publisher} ${clauses.length > 1 ? clauses[0] : titleKey}`,
  )
  const parts = [...clusters.values()].flatMap((cluster) => {
    const whose = several ? by(cluster) : ''
    const titles = distinctTitles(cluster)
    const common = commonClauses(titles)
    return common
      ? [{ text: `under ${headed(common, whose)}`, headed: true }]
      : titles.map((title) => ({ text: quotedTitle(title, quoted.part) + whose, headed: false }))
  })
  const texts = parts.map(({ text }) => text)
  return parts.some((part) => part.headed) ? texts.join('; ') : list(texts)
}

/** `“Airspace Designations” (FAA): “Olney, TX” and “Uvalde, TX”`. */
const headed = ({ head, tails }: { head: string; tails: string[] }, whose: string): string =>
  `${quote(shorten(head, quoted.part))}${whose}: ${quotedList(tails)}`

const distinctTitles = (readings: readonly Reading[]): Reading[] => [
  ...new Map(readings.map((reading) => [reading.titleKey, reading])).values(),
]

function sharedDocket(readings: readonly Reading[]): string {
  const [docket, ...others] = new Set(readings.map((reading) => reading.docket))
  return docket !== undefined && others.length === 0 ? ` in docket ${docket}` : ''
}

/** The clauses that several titles begin with, and what follows them in each. */
function commonClauses(titles: readonly Reading[]): { head: string; tails: string[] } | undefined {
  const [first] = titles
  if (!first || titles.length < 2) return undefined
  const most = Math.min(...titles.map(({ clauses }) => clauses.length)) - 1
  let count = 0
  while (count < most && titles.every(({ clauses }) => clauses[count] === first.clauses[count]))
    count += 1
  if (count === 0) return undefined
  return {
    head: first.title.slice(0, endOf(first, count) - 2),
    tails: titles.map((reading) => reading.title.slice(endOf(reading, count))),
  }
}

/** Where the title's clause number `count` begins: its clauses, each followed by a mark and a space. */
const endOf = ({ clauses }: Reading, count: number): number =>
  clauses.slice(0, count).reduce((length, clause) => length + clause.length + 2, 0)

/** The first sentence of the text, where it says more than the title. */
function excerpt({ evidence, titleKey }: Reading): string {
  if (evidence.text === '' || evidence.withdrawn) return ''
  const sentence = firstSentence(evidence.text, quoted.sentence)
  const key = sentence.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
  return key === '' || titleKey.includes(key) || key === titleKey ? '' : closed(quote(sentence))
}
