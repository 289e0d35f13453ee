import {
  outlineLevels,
  type Json,
  type Outline,
  type OutlineElement,
  type PlacedElement,
} from '@almanac/domain'
import fc from 'fast-check'
import type { Outlined } from '../outlined.ts'

/** A document of the tests: its elements as they are. */
export type Tree = readonly PlacedElement[]

/** The kind of such documents: nothing is lost, and paths are those of the list. */
export const treeKind: Outlined<Tree> = {
  outline: (tree) => tree,
  compose: (elements) => inPlace(elements),
}

/** Elements with the pointers of a list, in the order of a walk through the tree. */
export function inPlace(elements: readonly (OutlineElement & Partial<PlacedElement>)[]): Outline {
  const within = Map.groupBy(elements, ({ parentId }) => parentId)
  const walk = (parent: string | null): OutlineElement[] =>
    (within.get(parent) ?? []).flatMap((element) => [element, ...walk(element.id)])
  return walk(null).map(({ level, id, parentId, value, ...more }, i) => ({
    level,
    id,
    parentId,
    value,
    path: `/${i}`,
    ...('topics' in more && { topics: more.topics as string[] }),
  }))
}

const hostileKeys = ['_t', '_0', '__proto__', 'constructor', 'toString', '0', 'id', '', '_']
const key = fc.oneof(fc.constantFrom(...hostileKeys, 'text', 'title'), fc.string({ maxLength: 3 }))
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, true, 'same', 'other', 1, 2),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

const value = fc.dictionary(key, json, { maxKeys: 3, noNullPrototype: true })

const ids = [...hostileKeys.filter((one) => one !== ''), 'a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Any document of up to ten elements, two levels deep, with ids and keys that mean something elsewhere. */
export const anyTree: fc.Arbitrary<Tree> = fc
  .uniqueArray(fc.constantFrom(...ids), { maxLength: 10 })
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map((id, i) =>
        fc.record({
          id: fc.constant(id),
          level: fc.constantFrom(...outlineLevels),
          parentId: fc.constantFrom(null, ...chosen.slice(0, Math.min(i, 3))),
          value,
        }),
      ),
    ),
  )
  .map(inPlace)
