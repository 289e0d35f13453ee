import type { SeededNumbers } from '../seeded.ts'
import type { FoundEvidence, FoundMatch, FoundPackage } from './run-package.ts'

/** A report's item as it goes on the wire. */
export interface GroundedItem {
  kind: 'fact' | 'interpretation' | 'implication'
  region: string
  link: string
  text: string
  evidence: string[]
}

/** A report as it goes on the wire. */
export interface GroundedReport {
  summary: { text: string; evidence: string[] }[]
  sections: { deliverable: string; quiet: boolean; items: GroundedItem[] }[]
}

/** Titles are quoted up to this length, well below what a statement may have. */
const longestQuote = 300
/** One statement cites at most this many items of evidence. */
const mostCitations = 20

/**
 * A report that its package bears out: facts that quote the title of the evidence they cite, each in
 * a cell that this evidence was matched to; quiet sections exactly where nothing matches. `numbers`
 * decide how the facts are worded and which of its cells an item is told in.
 */
export function groundedReport(runPackage: FoundPackage, numbers: SeededNumbers): GroundedReport {
  const sections = runPackage.scope.deliverables.map((deliverable) => {
    const items = itemsOf(runPackage, deliverable, numbers)
    return { deliverable, quiet: items.length === 0, items }
  })
  return { summary: summaryOf(runPackage, sections), sections }
}

function itemsOf(
  { scope, evidence, limits }: FoundPackage,
  deliverable: string,
  numbers: SeededNumbers,
): GroundedItem[] {
  const items = new Map<string, GroundedItem>()
  const wording = numbers.pick(wordings)
  for (const item of evidence) {
    const cells = item.matches.filter(
      (match) =>
        match.deliverable === deliverable &&
        scope.regions.includes(match.region) &&
        scope.links.includes(match.link),
    )
    if (cells.length === 0) continue
    const text = statement(item, wording)
    const said = folded(text)
    const same = items.get(said)
    if (same) addCitation(same, item.id, cells)
    else if (items.size < limits.maxItemsPerSection) {
      const { region, link } = numbers.pick(cells)
      items.set(said, { kind: 'fact', region, link, text, evidence: [item.id] })
    }
  }
  return [...items.values()]
}

/** What is left of a text when case and punctuation are not looked at. */
const folded = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')

/** Evidence of the same wording joins the item that tells it, if it was matched to the same cell. */
function addCitation(item: GroundedItem, id: string, cells: readonly FoundMatch[]): void {
  const isSameCell = cells.some(({ region, link }) => region === item.region && link === item.link)
  if (isSameCell && item.evidence.length < mostCitations && !item.evidence.includes(id))
    item.evidence.push(id)
}

const wordings = [
  (quote: string) => `${quote} was published.`,
  (quote: string) => `The period brought ${quote}.`,
  (quote: string) => `Published: ${quote}.`,
]

function statement(item: FoundEvidence, wording: (quote: string) => string): string {
  const quote = quoted(item.title)
  return quote === undefined ? 'An item was published.' : wording(quote)
}

// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]+/g

/** A title between quotation marks; undefined for one that holds markup or an address. */
function quoted(title: string): string | undefined {
  const line = title.toWellFormed().replace(unprintable, ' ').replace(/\s+/g, ' ').trim()
  if (line === '' || /[<>`]|\]\(|\w:\/\/|javascript:|&#?\w+;/i.test(line)) return undefined
  const plain = line.replace(/[“”„‟]/g, '"')
  if (plain.length <= longestQuote) return `“${plain}”`
  const cut = plain.slice(0, longestQuote)
  return `“${cut.slice(0, cut.lastIndexOf(' ')).toWellFormed()}…”`
}

function summaryOf(
  { catalogue, limits }: FoundPackage,
  sections: GroundedReport['sections'],
): GroundedReport['summary'] {
  const lines = sections.flatMap(({ deliverable, items: [first] }) => {
    if (!first) return []
    const label = catalogue?.deliverables.find(({ key }) => key === deliverable)?.label
    return { text: `${label ?? deliverable}: ${first.text}`, evidence: [...first.evidence] }
  })
  if (lines.length === 0)
    return [{ text: 'Nothing in scope was published in this period.', evidence: [] }]
  return lines.slice(0, limits.maxSummaryLines)
}
