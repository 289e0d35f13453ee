import { outlineLevels, type Json, type OutlineElement, type OutlineLevel } from '@almanac/domain'
import type { Delta } from 'jsondiffpatch'
import { sameJson } from './align.ts'
import { escapedKey, unescapedKey } from './keyed.ts'

export const changeTypes = ['added', 'removed', 'changed', 'moved'] as const
export type ChangeType = (typeof changeTypes)[number]

/** One thing that happened to one element; an element that was moved and changed has two of them. */
export interface Change {
  type: ChangeType
  level: OutlineLevel
  /** The element's id: the old one, or of an added element its own. */
  id: string
  /** Its id in the new document, where that is another one. */
  newId?: string
  /** The element that it stands in: in the new document, or of a removed element in the old one. */
  parentId: string | null
  /** What it said and says; of a moved element neither. */
  before?: Record<string, Json>
  after?: Record<string, Json>
  /** The fields that differ, of a changed element. */
  fields?: string[]
  /** Where it stood and stands, of a moved element: the parent, and the place among its children. */
  from?: Place
  to?: Place
}

export interface Place {
  parentId: string | null
  place: number
}

/** Reads a delta of two documents under object keys as changes. `after` bears the ids of `before`. */
export function changesOf(
  delta: Delta,
  before: readonly OutlineElement[],
  after: readonly OutlineElement[],
  ownIds: ReadonlyMap<string, string>,
): Change[] {
  const touched = partOf(delta, 'elements')
  const reordered = movedIds(partOf(delta, 'order'), before)
  const [old, now] = [byId(before), byId(after)]
  const [oldPlaces, newPlaces] = [placesOf(before), placesOf(after)]
  const head = ({ id, level, parentId }: OutlineElement) => {
    const newId = ownIds.get(id)
    return { level, id, ...(newId !== undefined && { newId }), parentId }
  }
  const removed = before.flatMap((element): Change[] =>
    now.has(element.id) ? [] : [{ type: 'removed', ...head(element), before: element.value }],
  )
  const others = after.flatMap((element): Change[] => {
    const was = old.get(element.id)
    if (!was) return [{ type: 'added', ...head(element), after: element.value }]
    const found: Change[] = []
    const isTouched = Object.hasOwn(touched, escapedKey(element.id))
    if (isTouched && (was.level !== element.level || !sameJson(was.value, element.value)))
      found.push({
        type: 'changed',
        ...head(element),
        before: was.value,
        after: element.value,
        fields: fieldsThatDiffer(was.value, element.value),
      })
    if (was.parentId !== element.parentId || reordered.has(element.id)) {
      const [from, to] = [oldPlaces.get(element.id), newPlaces.get(element.id)]
      if (from && to) found.push({ type: 'moved', ...head(element), from, to })
    }
    return found
  })
  const rank = ({ level }: Change) => outlineLevels.indexOf(level)
  return [...removed, ...others].sort((a, b) => rank(a) - rank(b))
}

const partOf = (delta: Delta, part: 'elements' | 'order'): Record<string, unknown> => {
  const found: unknown = delta && Reflect.get(delta, part)
  return typeof found === 'object' && found !== null && !Array.isArray(found) ? { ...found } : {}
}

/** The elements that an order's delta takes from one place among their siblings to another. */
function movedIds(
  orders: Record<string, unknown>,
  before: readonly OutlineElement[],
): ReadonlySet<string> {
  const children = Map.groupBy(before, ({ parentId }) => parentId ?? '')
  const ids = new Set<string>()
  for (const [parent, order] of Object.entries(orders)) {
    if (typeof order !== 'object' || order === null || Array.isArray(order)) continue
    for (const [place, move] of Object.entries(order))
      if (place.startsWith('_') && Array.isArray(move) && move[2] === 3) {
        const element = children.get(unescapedKey(parent))?.[Number(place.slice(1))]
        if (element) ids.add(element.id)
      }
  }
  return ids
}

const byId = (elements: readonly OutlineElement[]): ReadonlyMap<string, OutlineElement> =>
  new Map(elements.map((element) => [element.id, element]))

function placesOf(elements: readonly OutlineElement[]): ReadonlyMap<string, Place> {
  const counts = new Map<string | null, number>()
  return new Map(
    elements.map(({ id, parentId }) => {
      const place = counts.get(parentId) ?? 0
      counts.set(parentId, place + 1)
      return [id, { parentId, place }]
    }),
  )
}

function fieldsThatDiffer(a: Record<string, Json>, b: Record<string, Json>): string[] {
  const [before, after] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (field) =>
      before.has(field) !== after.has(field) || !sameJson(before.get(field), after.get(field)),
  )
}
