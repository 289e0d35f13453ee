import type { ChangeReport } from '@almanac/domain'

export type NewElement = ChangeReport['new'][number]
export type ChangedElement = ChangeReport['changed'][number]
export type GoneElement = ChangeReport['gone'][number]

/** An element of this document: where it stands, and what leads to it. */
export interface ElementLink {
  /** `Final rules`. */
  group: string
  anchor: string
  /** `item 4`. */
  name: string
}

/** How a kind of document names the elements of a change report. */
export interface ChangeNames {
  /** `report`: what a document of this kind is called. */
  noun: string
  /** `item`: what is counted; elements of other levels are only listed. */
  counts: (level: NewElement['level']) => boolean
  /** The element at a path of this document; undefined when it is not shown. */
  linkOf: (path: string) => ElementLink | undefined
  /** `Final rules · Fact · National · Aviation`, of an element of the earlier document. */
  placeOf: (element: GoneElement) => string
  /** What an element of the earlier document said; undefined where its place says it all. */
  saidOf: (element: GoneElement | ChangedElement) => string | undefined
}

/** What the formats show of a change report; plain text, not yet escaped. */
export interface ChangesView {
  /** `What is new: 9 · changed: 3 · gone: 2`, or a sentence about why nothing is compared. */
  line: string
  /** Undefined when nothing was compared. */
  details: ChangeDetails | undefined
}

export interface ChangeDetails {
  /** `2022-W09`. */
  against: string
  /** `9 new, 3 changed, 2 gone, against 2022-W09.` */
  summary: string
  /** `In what they say, the two reports are 43 % alike, by their words.`; undefined without news. */
  likeness: string | undefined
  /** Whether the earlier document rests on invented sample data: what is quoted from it says so. */
  sample: boolean
  /** A sentence for a document without news. */
  nothing: string | undefined
  /** New elements by where they stand. */
  added: { group: string; links: ElementLink[] }[]
  changed: { link: ElementLink; fields: string; said: string | undefined }[]
  gone: { place: string; said: string | undefined }[]
  /** How many changed and gone elements are not shown. */
  unshown: number
}

/** Of changed and of gone elements so many are shown; the JSON has all of them. */
const mostShown = 12

/** Arranges a change report; undefined where none was given. */
export function changesView(
  report: ChangeReport | undefined,
  names: ChangeNames,
): ChangesView | undefined {
  if (!report) return undefined
  const against = report.against?.periodKey ?? 'the period before'
  if (report.comparison === 'compared') {
    const [added, changed, gone] = countsOf(report, names)
    return {
      line: `What is new: ${added} · changed: ${changed} · gone: ${gone}`,
      details: {
        against,
        summary: `${added} new, ${changed} changed, ${gone} gone, against ${against}.`,
        ...detailsOf(report, against, names),
      },
    }
  }
  const { noun } = names
  const sentences = {
    first: `First ${noun}: there is no earlier one to compare it with.`,
    on_demand: `Made on demand: not compared with an earlier ${noun}.`,
    unreadable: `The ${noun} of ${against} cannot be read any more, so nothing is compared with it.`,
  }
  return { line: sentences[report.comparison], details: undefined }
}

/** Only equal texts are wholly alike, and only texts without a common word not at all. */
function likenessOf({ likeness }: ChangeReport, { noun }: ChangeNames): string | undefined {
  if (!likeness) return undefined
  const { value, model, note } = likeness
  const percent =
    value > 0 && value < 1 ? Math.min(99, Math.max(1, Math.round(value * 100))) : value * 100
  const by = model === null ? 'by their words' : `by the embeddings of ${model}`
  const because = note === null ? '' : ` (${note})`
  return `In what they say, the two ${noun}s are ${percent} % alike, ${by}${because}.`
}

function countsOf(report: ChangeReport, { counts }: ChangeNames): [number, number, number] {
  const count = (elements: readonly { level: NewElement['level'] }[]) =>
    elements.filter(({ level }) => counts(level)).length
  return [count(report.new), count(report.changed), count(report.gone)]
}

function detailsOf(
  report: ChangeReport,
  against: string,
  names: ChangeNames,
): Omit<ChangeDetails, 'against' | 'summary'> {
  const links = report.new.flatMap(({ path }) => names.linkOf(path) ?? [])
  const changed = report.changed.flatMap((element) => {
    const link = names.linkOf(element.path)
    return link ? [{ link, fields: element.fields.join(', '), said: names.saidOf(element) }] : []
  })
  const gone = report.gone.map((element) => ({
    place: names.placeOf(element),
    said: names.saidOf(element),
  }))
  const isEmpty = report.new.length + report.changed.length + report.gone.length === 0
  return {
    sample: report.against?.sample ?? false,
    likeness: isEmpty ? undefined : likenessOf(report, names),
    nothing: isEmpty
      ? `Nothing is new: this ${names.noun} says what that of ${against} said.`
      : undefined,
    added: [...Map.groupBy(links, ({ group }) => group)].map(([group, all]) => ({
      group,
      links: all,
    })),
    changed: changed.slice(0, mostShown),
    gone: gone.slice(0, mostShown),
    unshown: Math.max(0, changed.length - mostShown) + Math.max(0, gone.length - mostShown),
  }
}
