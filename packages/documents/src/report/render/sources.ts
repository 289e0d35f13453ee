import type { PackageEvidence } from '@almanac/domain'
import { plainTitle } from '@almanac/industries'
import { isSample } from '../../notice.ts'
import { shortDate } from '../../render/local-date.ts'
import { safeLink, type SafeLink } from '../../render/safe-link.ts'
import type { PackageIndex } from '../package-index.ts'

/** A source as the formats list it: one page, with everything in the package that lies there. */
export interface SourceView {
  number: number
  /** The items of evidence of this page: more than one when they share an address. */
  evidence: PackageEvidence[]
  publisher: string
  date: string
  title: string
  link: SafeLink | undefined
  sample: boolean
  usedBy: { id: string; number: number }[]
  inSummary: boolean
}

/** The sources cited so far; an item is numbered when it is first asked for. */
export interface NumberedSources {
  all: SourceView[]
  of: (item: PackageEvidence) => SourceView
  /** The source of an id, numbered now if it was not before; undefined for an id that nobody has. */
  find: (id: string, use?: (source: SourceView) => void) => SourceView | undefined
}

/** Starts numbering; items with the address of one page are one source. */
export function numberSources({ evidence }: PackageIndex, timeZone: string): NumberedSources {
  const all: SourceView[] = []
  const byId = new Map<string, SourceView>()
  const byPage = new Map<string, SourceView>()
  const of = (item: PackageEvidence): SourceView => {
    const known = byId.get(item.id)
    if (known) return known
    const link = safeLink(item.url)
    let source = link && byPage.get(link.page)
    if (source) {
      source.evidence.push(item)
      source.sample ||= isSample(item)
    } else {
      source = newSource(item, link, all.length + 1, timeZone)
      all.push(source)
      if (link) byPage.set(link.page, source)
    }
    byId.set(item.id, source)
    return source
  }
  return {
    all,
    of,
    find(id, use) {
      const item = evidence.get(id)
      if (!item) return undefined
      const source = of(item)
      use?.(source)
      return source
    },
  }
}

function newSource(
  item: PackageEvidence,
  link: SafeLink | undefined,
  number: number,
  timeZone: string,
): SourceView {
  return {
    number,
    evidence: [item],
    publisher: publisherOf(item),
    date: shortDate(item.publishedAt, timeZone),
    title: plainTitle(item.title),
    link,
    sample: isSample(item),
    usedBy: [],
    inSummary: false,
  }
}

/** Who published an item: its publisher or agency if it names one, else the name of its source. */
function publisherOf({ attributes, source }: PackageEvidence): string {
  return plainTitle(attributes['publisher'] || attributes['agency'] || source)
}
