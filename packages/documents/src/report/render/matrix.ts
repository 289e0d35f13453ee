import type { Axis, RunPackage } from '@almanac/domain'
import { labelOf } from '../package-index.ts'
import type { ReportView } from './view.ts'

/** A row or column of the coverage matrix. */
export interface MatrixHead {
  label: string
  /** Key of the deliverable whose section it leads to. */
  section?: string
  /** `quiet`, or `not selected` for an entry that the run was narrowed from. */
  tag?: string
  /** Sum of the items reported; null when it was not selected. */
  total: number | null
}

/** Items reported by deliverable and region; null is "not selected", which differs from 0. */
export interface CoverageMatrix {
  rowAxis: 'Deliverable' | 'Region'
  rows: MatrixHead[]
  columns: MatrixHead[]
  cells: (number | null)[][]
  total: number
  /** Labels of the regions that one column or row stands for, when there are too many to show. */
  folded: { label: string; names: string[] }[]
}

/** Wider tables have regions as rows, so that no page is too narrow for them. */
const mostColumns = 8
/** With more regions than this, those without items share columns. */
const mostRegions = 8

/** The matrix of a report: deliverables and regions of the specification, in its order. */
export function coverageMatrix(view: ReportView, runPackage: RunPackage): CoverageMatrix {
  const { index } = view
  const { body } = runPackage.specification
  const ordered = (axis: Axis): string[] =>
    body.kind === 'report' ? body[axis] : index.scope[axis]
  const counts = new Map<string, number>()
  for (const { key, items } of view.sections)
    for (const { regionKey } of items) {
      const cell = `${key}/${regionKey}`
      counts.set(cell, (counts.get(cell) ?? 0) + 1)
    }
  const groups = regionGroups(ordered('regions'), view, runPackage)
  const deliverables = ordered('deliverables')
  const cells = deliverables.map((deliverable) =>
    groups.map(({ keys, selected }) =>
      selected && index.counts.deliverables.has(deliverable)
        ? keys.reduce((all, key) => all + (counts.get(`${deliverable}/${key}`) ?? 0), 0)
        : null,
    ),
  )
  const sum = (values: (number | null)[]) =>
    values.every((value) => value === null)
      ? null
      : values.reduce<number>((all, value) => all + (value ?? 0), 0)
  const rows = deliverables.map((key, i): MatrixHead => {
    const section = view.sections.find((candidate) => candidate.key === key)
    const tag = section ? (section.quiet ? 'quiet' : undefined) : 'not selected'
    return {
      label: labelOf(runPackage, 'deliverables', key),
      total: sum(cells[i] ?? []),
      ...(section && { section: key }),
      ...(tag && { tag }),
    }
  })
  const columns = groups.map(({ label }, c): MatrixHead => ({
    label,
    total: sum(cells.map((row) => row[c] ?? null)),
  }))
  const total = rows.reduce((all, row) => all + (row.total ?? 0), 0)
  const folded = groups
    .filter(({ isFolded }) => isFolded)
    .map(({ label, keys }) => ({
      label,
      names: keys.map((key) => labelOf(runPackage, 'regions', key)),
    }))
  if (columns.length <= mostColumns)
    return { rowAxis: 'Deliverable', rows, columns, cells, total, folded }
  const turned = columns.map((_, c) => cells.map((row) => row[c] ?? null))
  return { rowAxis: 'Region', rows: columns, columns: rows, cells: turned, total, folded }
}

interface RegionGroup {
  label: string
  keys: string[]
  selected: boolean
  isFolded: boolean
}

function regionGroups(
  keys: readonly string[],
  { index, sections }: ReportView,
  runPackage: RunPackage,
): RegionGroup[] {
  const used = new Set(sections.flatMap(({ items }) => items.map(({ regionKey }) => regionKey)))
  const regions = keys.map((key): RegionGroup => {
    const selected = index.counts.regions.has(key)
    return { label: labelOf(runPackage, 'regions', key), keys: [key], selected, isFolded: false }
  })
  if (regions.length <= mostRegions) return regions
  const has = ({ keys: [key = ''] }: RegionGroup) => index.counts.regions.get(key)
  const fold = (group: RegionGroup[], what: string): RegionGroup[] => {
    const [first] = group
    if (!first || group.length < 2) return group
    const label = `${group.length} ${what}`
    return [{ ...first, label, keys: group.flatMap((region) => region.keys), isFolded: true }]
  }
  const unused = regions.filter(({ keys: [key = ''] }) => !used.has(key))
  return [
    ...regions.filter((region) => !unused.includes(region)),
    ...fold(
      unused.filter((region) => has(region)),
      'with evidence only',
    ),
    ...fold(
      unused.filter((region) => has(region) === 0),
      'others',
    ),
    ...fold(
      unused.filter(({ selected }) => !selected),
      'not selected',
    ),
  ]
}
