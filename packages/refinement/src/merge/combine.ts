import type { Outline, OutlineElement, OutlineLevel } from '@almanac/domain'
import { lengthOf, type Choose } from './choose.ts'
import { mergedOrder } from './order.ts'

/** One version as it takes part in a merge: its elements under the ancestor's ids. */
export interface Side {
  elements: Outline
  /** The component score of an element, 0 to 1; 0 for one that is not there. */
  scoreOf: (id: string) => number
}

/** What both versions changed, each in its own way. */
export interface Disagreement {
  id: string
  level: OutlineLevel
  /** `place`: what it stands in; `order`: the order of its children. */
  about: 'changed' | 'deleted' | 'added' | 'place' | 'order'
  scores: [number, number]
  /** Characters of each version's value; 0 where it has none. */
  lengths: [number, number]
  taken: 0 | 1
}

export interface Combined {
  elements: OutlineElement[]
  disagreements: Disagreement[]
}

/** Makes one document of two versions of `base`, whose elements bear its ids. */
export function combine(base: Outline, sides: readonly [Side, Side], choose: Choose): Combined {
  const [old, x, y] = [byId(base), byId(sides[0].elements), byId(sides[1].elements)]
  const ids = new Set([...old.keys(), ...x.keys(), ...y.keys()])
  const disagreements: Disagreement[] = []
  const kept = new Map<string, OutlineElement>()
  for (const id of ids) {
    const [b, mine, other] = [old.get(id), x.get(id), y.get(id)]
    if (mine === b && other === b && b) {
      kept.set(id, b)
      continue
    }
    const scores: [number, number] = [sides[0].scoreOf(id), sides[1].scoreOf(id)]
    const { element, taken, isDisagreement } = choose(b, [mine, other], scores)
    const note = (about: Disagreement['about'], side: 0 | 1) => {
      const level = (element ?? mine ?? other ?? b)?.level ?? 'item'
      const lengths: [number, number] = [lengthOf(mine), lengthOf(other)]
      disagreements.push({ id, level, about, scores, lengths, taken: side })
    }
    if (isDisagreement) note(!mine || !other ? 'deleted' : b ? 'changed' : 'added', taken)
    if (!element) continue
    const place = placeOf(b, mine, other, taken)
    if (place.isDisagreement) note('place', taken)
    kept.set(id, { ...element, id, parentId: place.parentId })
  }
  keepParents(kept, [x, y, old])
  keepRooted(kept, [x, y, old])
  const children = Map.groupBy(kept.values(), ({ parentId }) => parentId)
  const orders = [base, sides[0].elements, sides[1].elements].map((elements) =>
    Map.groupBy(elements, ({ parentId }) => parentId),
  )
  const elements: OutlineElement[] = []
  const visit = (parentId: string | null) => {
    const own = children.get(parentId)
    if (!own) return
    const members = new Map(own.map((element) => [element.id, element]))
    const sequence = (n: number) =>
      (orders[n]?.get(parentId) ?? []).map(({ id }) => id).filter((id) => members.has(id))
    const key = parentId ?? ''
    const scores: [number, number] = [sides[0].scoreOf(key), sides[1].scoreOf(key)]
    const order = mergedOrder(sequence(0), [sequence(1), sequence(2)], scores)
    if (order.isDisagreement) {
      const level = parentId === null ? 'metadata' : (kept.get(parentId)?.level ?? 'metadata')
      disagreements.push({
        id: key,
        level,
        about: 'order',
        scores,
        lengths: [sequence(1).length, sequence(2).length],
        taken: order.taken,
      })
    }
    for (const id of [...order.ids, ...own.map((one) => one.id)]) {
      const element = members.get(id)
      if (!element) continue
      members.delete(id)
      elements.push(element)
      visit(id)
    }
  }
  visit(null)
  return { elements, disagreements }
}

function placeOf(
  base: OutlineElement | undefined,
  x: OutlineElement | undefined,
  y: OutlineElement | undefined,
  taken: 0 | 1,
): { parentId: string | null; isDisagreement: boolean } {
  const [a, b] = [x ?? y, y ?? x]
  if (!a || !b) return { parentId: base?.parentId ?? null, isDisagreement: false }
  if (a.parentId === b.parentId || b.parentId === base?.parentId)
    return { parentId: a.parentId, isDisagreement: false }
  if (a.parentId === base?.parentId) return { parentId: b.parentId, isDisagreement: false }
  return { parentId: (taken === 0 ? a : b).parentId, isDisagreement: true }
}

type ById = ReadonlyMap<string, OutlineElement>

/** An element that one side deleted comes back when something stays in it. */
function keepParents(kept: Map<string, OutlineElement>, sources: readonly ById[]): void {
  for (const element of kept.values()) {
    const { parentId } = element
    if (parentId === null || kept.has(parentId)) continue
    const parent = sources.flatMap((source) => source.get(parentId) ?? [])[0]
    // A map gives what is added while it is walked too, so that the parent's parent is looked at.
    if (parent) kept.set(parentId, parent)
    else kept.set(element.id, { ...element, parentId: null })
  }
}

/** Where each side moved one element into the other's, nothing leads to the top: the first side's places hold. */
function keepRooted(kept: Map<string, OutlineElement>, sources: readonly ById[]): void {
  const isRooted = (id: string): boolean => {
    const seen = new Set<string>()
    for (let at: string | null = id; at !== null; at = kept.get(at)?.parentId ?? null) {
      if (seen.has(at)) return false
      seen.add(at)
    }
    return true
  }
  if ([...kept.keys()].every(isRooted)) return
  for (const element of [...kept.values()]) {
    const source = sources.flatMap((one) => one.get(element.id) ?? [])[0]
    kept.set(element.id, { ...element, parentId: source?.parentId ?? null })
  }
  keepParents(kept, sources)
}

const byId = (elements: readonly OutlineElement[]): ById =>
  new Map(elements.map((element) => [element.id, element]))
