import type { Cadence, PackageEvidence, RunPackage } from '@almanac/domain'
import { plainTitle } from '@almanac/industries'
import type { RenderInput } from '../../kind.ts'
import { isSample } from '../../notice.ts'
import type { ChangesView } from '../../render/changes-view.ts'
import { mastheadOf, type Masthead } from '../../render/masthead.ts'
import { packageIndex, labelOf, type PackageIndex } from '../package-index.ts'
import type { ItemKind, ReportContent } from '../schema.ts'
import { reportChanges } from './changes.ts'
import { numberSources, type SourceView } from './sources.ts'

/** What the report formats show, in the order in which they show it; plain text, not yet escaped. */
export interface ReportView extends Masthead {
  summary: StatementView[]
  sections: SectionView[]
  sources: SourceView[]
  index: PackageIndex
  /** What is new against the period before; undefined when nothing is said about that. */
  changes: ChangesView | undefined
}

export interface StatementView {
  text: string
  /** Numbers of the sources, in the order in which the statement cites them. */
  citations: number[]
  /** Whether a cited item of evidence is invented sample data. */
  sample: boolean
  /** Titles of the cited evidence, as they may be quoted in the text. */
  titles: string[]
}

export interface ItemView extends StatementView {
  id: string
  /** Position in the whole report, from 1. */
  number: number
  kind: ItemKind
  regionKey: string
  region: string
  link: string
}

export interface SectionView {
  key: string
  label: string
  quiet: boolean
  items: ItemView[]
  /** Distinct items of evidence in the window that match the deliverable. */
  evidence: number
}

const reportNames: Record<Cadence, string> = {
  daily: 'Daily report',
  weekly: 'Weekly report',
  monthly: 'Monthly report',
  on_demand: 'Report on demand',
}

const views = new WeakMap<RenderInput<ReportContent>, ReportView>()

/** The view of what is rendered, made once for all formats. */
export function reportView(input: RenderInput<ReportContent>): ReportView {
  let view = views.get(input)
  if (!view) views.set(input, (view = arranged(input)))
  return view
}

/** Arranges what the formats show. Sources are numbered in order of first use; equal pages are one. */
function arranged(input: RenderInput<ReportContent>): ReportView {
  const { content, package: runPackage } = input
  const index = packageIndex(runPackage)
  const sources = numberSources(index, runPackage.cadence.timeZone)
  const titles = new Map<string, string>()
  const titleOf = ({ id, title }: PackageEvidence): string => {
    let plain = titles.get(id)
    if (plain === undefined) titles.set(id, (plain = plainTitle(title)))
    return plain
  }
  const statement = (text: string, ids: readonly string[]): StatementView => {
    const cited = [...new Set(ids)].flatMap((id) => index.evidence.get(id) ?? [])
    return {
      text,
      citations: [...new Set(cited.map((item) => sources.of(item).number))],
      sample: cited.some(isSample),
      titles: cited.map(titleOf),
    }
  }
  const summary = content.summary.map(({ text, evidence }) => {
    for (const id of evidence) sources.find(id, (source) => (source.inSummary = true))
    return statement(text, evidence)
  })
  let number = 0
  const sections = content.sections.map(({ deliverable, quiet, items }): SectionView => {
    const views = items.map(({ id, kind, region, link, text, evidence }): ItemView => {
      number += 1
      const user = { id, number }
      for (const source of new Set(evidence.flatMap((cited) => sources.find(cited) ?? [])))
        source.usedBy.push(user)
      return {
        ...statement(text, evidence),
        ...user,
        kind,
        regionKey: region,
        region: labelOf(runPackage, 'regions', region),
        link: labelOf(runPackage, 'links', link),
      }
    })
    return {
      key: deliverable,
      label: labelOf(runPackage, 'deliverables', deliverable),
      quiet,
      items: views,
      evidence: index.counts.deliverables.get(deliverable) ?? 0,
    }
  })
  return {
    ...mastheadOf(input, reportNames),
    summary,
    sections,
    sources: sources.all,
    index,
    changes: reportChanges(input, sections),
  }
}

/** `text`, ended by a full stop where nothing ends it yet. */
export const stopped = (text: string): string =>
  /[.!?…:]["'”’)\]]?$/u.test(text) ? text : `${text}.`

/** `9 of 67`: items reported of items of evidence; `12 from 10` where several say of one. */
export const countText = ({ items, evidence }: SectionView): string =>
  `${items.length} ${items.length > evidence ? 'from' : 'of'} ${evidence}`

/** How many items of each kind a section reports. */
export const kindCount = ({ items }: SectionView, kind: ItemKind): number =>
  items.filter((item) => item.kind === kind).length

/** The number of the specification's sources; 1 when the package does not say. */
export function sourceCount({ specification: { body } }: RunPackage): number {
  return body.kind === 'report' ? body.sources.length : 1
}
