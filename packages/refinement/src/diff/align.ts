import type { Outline, OutlineElement, PlacedElement } from '@almanac/domain'

/** An outline in which each element that another version has too bears that version's id. */
export interface Aligned {
  elements: Outline
  /** The element's own id, where it was given another one. */
  ownIds: ReadonlyMap<string, string>
}

/**
 * Finds the elements of `outline` again in `known`: by id, then by topic, the surest topics first,
 * those with equal topics in the order of the documents. Whoever is aligned to whom, the pairs are the
 * same.
 */
export function align(outline: Outline, known: Outline): Aligned {
  const knownIds = new Set(known.map(({ id }) => id))
  const ids = new Set(outline.map(({ id }) => id))
  const pairs = new Map<string, string>()
  let left = outline.filter(({ id, topics }) => topics && !knownIds.has(id))
  let free = known.filter(({ id, topics }) => topics && !ids.has(id))
  if (left.length === 0 || free.length === 0) return { elements: outline, ownIds: new Map() }
  const most = Math.max(...left.map(({ topics }) => topics?.length ?? 0))
  for (let rank = 0; rank < most; rank += 1) {
    const byTopic = Map.groupBy(free, (element) => topicOf(element, rank))
    const taken = new Set<string>()
    for (const element of left) {
      const topic = topicOf(element, rank)
      const match = topic === undefined ? undefined : byTopic.get(topic)?.shift()
      if (!match) continue
      pairs.set(element.id, match.id)
      taken.add(match.id)
    }
    left = left.filter(({ id }) => !pairs.has(id))
    free = free.filter(({ id }) => !taken.has(id))
  }
  return renamed(outline, pairs)
}

const topicOf = ({ level, topics }: PlacedElement, rank: number): string | undefined =>
  topics?.[rank] === undefined ? undefined : `${level}/${topics[rank]}`

function renamed(outline: Outline, pairs: ReadonlyMap<string, string>): Aligned {
  const idOf = (id: string) => pairs.get(id) ?? id
  const elements = outline.map((element) => {
    const id = idOf(element.id)
    const parentId = element.parentId === null ? null : idOf(element.parentId)
    return id === element.id && parentId === element.parentId
      ? element
      : { ...element, id, parentId }
  })
  return { elements, ownIds: new Map([...pairs].map(([own, id]) => [id, own])) }
}

/** Whether two elements say the same, wherever they stand. */
export const saysSame = (
  a: Pick<OutlineElement, 'level' | 'value'>,
  b: Pick<OutlineElement, 'level' | 'value'>,
): boolean => a === b || (a.level === b.level && sameJson(a.value, b.value))

/** Deep equality of JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one, i) => sameJson(one, b[i]))
  if (Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(Reflect.get(a, key), Reflect.get(b, key)))
  )
}
