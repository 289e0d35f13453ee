import {
  AlmanacError,
  type Axis,
  type EvidenceMatch,
  type PackageEvidence,
  type RunPackage,
  type Scope,
} from '@almanac/domain'

/** A deliverable × region × link of the scope that evidence was matched to. */
export interface Cell extends EvidenceMatch {
  /** How many items of evidence the package holds for it. */
  evidence: number
}

/** A run package, arranged so that a report can be held against it. */
export interface PackageIndex {
  scope: Scope
  evidence: ReadonlyMap<string, PackageEvidence>
  /** The cells with evidence, by `cellKey`, in the order of the evidence. */
  cells: ReadonlyMap<string, Cell>
  /** How many distinct items of evidence each entry of the scope has, zeros included. */
  counts: Record<Axis, ReadonlyMap<string, number>>
  /** The number of items that a section has room for. */
  room: number
}

export const cellKey = ({ deliverable, region, link }: EvidenceMatch): string =>
  `${deliverable}/${region}/${link}`

/** The scope of a report's package; throws INPUT_INVALID for a package that has none. */
export function reportScope({ scope }: Pick<RunPackage, 'scope'>): Scope {
  if (scope) return scope
  const message = 'must name deliverables, regions and links: a report cannot be made without'
  throw new AlmanacError('INPUT_INVALID', { issues: [{ field: 'scope', message, value: 'null' }] })
}

const indexes = new WeakMap<RunPackage, PackageIndex>()

/** The index of a package, made once for each: packages never change. */
export function packageIndex(runPackage: RunPackage): PackageIndex {
  let index = indexes.get(runPackage)
  if (!index) indexes.set(runPackage, (index = indexPackage(runPackage)))
  return index
}

/** Arranges `runPackage`; matches outside its scope, which `assemble` never makes, are left out. */
function indexPackage(runPackage: RunPackage): PackageIndex {
  const scope = reportScope(runPackage)
  const evidence = new Map<string, PackageEvidence>()
  const cells = new Map<string, Cell>()
  const zeros = (keys: readonly string[]) => new Map(keys.map((key) => [key, 0]))
  const counts = {
    deliverables: zeros(scope.deliverables),
    regions: zeros(scope.regions),
    links: zeros(scope.links),
  }
  const increment = (axis: Axis, keys: ReadonlySet<string>) => {
    for (const key of keys) counts[axis].set(key, (counts[axis].get(key) ?? 0) + 1)
  }
  for (const item of runPackage.evidence) {
    evidence.set(item.id, item)
    const inside = item.matches.filter(
      ({ deliverable, region, link }) =>
        counts.deliverables.has(deliverable) &&
        counts.regions.has(region) &&
        counts.links.has(link),
    )
    for (const match of inside) {
      const cell = cells.get(cellKey(match))
      if (cell) cell.evidence += 1
      else cells.set(cellKey(match), { ...match, evidence: 1 })
    }
    increment('deliverables', new Set(inside.map(({ deliverable }) => deliverable)))
    increment('regions', new Set(inside.map(({ region }) => region)))
    increment('links', new Set(inside.map(({ link }) => link)))
  }
  return { scope, evidence, cells, counts, room: runPackage.limits.maxItemsPerSection }
}

/** The label of a key, from the package's catalogue, or made from the key where that has none. */
export function labelOf(runPackage: RunPackage, axis: Axis, key: string): string {
  const entry = runPackage.catalogue?.[axis].find((candidate) => candidate.key === key)
  return entry?.label ?? key.charAt(0).toUpperCase() + key.slice(1).replaceAll('-', ' ')
}
