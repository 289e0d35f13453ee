import type { EvidenceMatch, RunPackage } from '@almanac/domain'

type Catalogue = NonNullable<RunPackage['catalogue']>
type Entry = Catalogue['regions'][number]

/** Where an item of a section stands; places are those of the specification's order. */
export interface Cell {
  region: string
  link: string
  /** How many of region and link are named entries and no fallbacks: 0, 1 or 2. */
  named: number
  /** Higher for narrower entries: `china` before `apac`. */
  depth: number
  regionPlace: number
  linkPlace: number
}

/** Ranks cells of a scope: a named region or link before a fallback, a narrow one before a broad one. */
export interface CellRank {
  /** The most specific of `matches`, which must not be empty; among equals the first of the scope. */
  best(matches: readonly EvidenceMatch[]): Cell
  /** Whether counts may single the entry out: it is no fallback, and none of the scope is within it. */
  standsAlone(axis: 'regions' | 'links', key: string): boolean
}

interface Place {
  place: number
  depth: number
}

/** Creates the ranking of a package's cells; keys that its catalogue lacks count as fallbacks. */
export function rankCells({ catalogue }: Pick<RunPackage, 'catalogue'>): CellRank {
  const axes = {
    regions: placesOf(catalogue?.regions ?? []),
    links: placesOf(catalogue?.links ?? []),
  }
  const at = (axis: keyof typeof axes, key: string): Place =>
    axes[axis].get(key) ?? { place: axes[axis].size, depth: 0 }
  return {
    best(matches) {
      const cells = matches.map(({ region, link }): Cell => {
        const [r, l] = [at('regions', region), at('links', link)]
        const named = Number(r.depth > 0) + Number(l.depth > 0)
        const depth = r.depth + l.depth
        return { region, link, named, depth, regionPlace: r.place, linkPlace: l.place }
      })
      return cells.reduce((best, cell) => {
        const order = cell.named - best.named || cell.depth - best.depth
        return order > 0 || (order === 0 && compareCells(cell, best) < 0) ? cell : best
      })
    },
    standsAlone: (axis, key) =>
      at(axis, key).depth > 0 && !catalogue?.[axis].some(({ within }) => within === key),
  }
}

/** Named regions and links before fallbacks, then the specification's order: links before regions. */
export const compareCells = (a: Cell, b: Cell): number =>
  b.named - a.named || a.linkPlace - b.linkPlace || a.regionPlace - b.regionPlace

/** Depth 0 is a fallback, 1 a named entry, more a named entry within another one of the scope. */
function placesOf(entries: readonly Entry[]): ReadonlyMap<string, Place> {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]))
  const depth = (entry: Entry): number => {
    const seen = new Set<string>()
    for (
      let at: Entry | undefined = entry;
      at && !seen.has(at.key);
      at = byKey.get(at.within ?? '')
    )
      seen.add(at.key)
    return entry.fallback ? 0 : seen.size
  }
  return new Map(entries.map((entry, place) => [entry.key, { place, depth: depth(entry) }]))
}
