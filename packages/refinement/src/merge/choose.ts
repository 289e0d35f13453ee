import type { Json, OutlineElement } from '@almanac/domain'
import { saysSame } from '../diff/align.ts'

/** Decides between two versions of an element's value; undefined stands for its deletion. */
export type Choose = (
  base: OutlineElement | undefined,
  sides: readonly [OutlineElement | undefined, OutlineElement | undefined],
  scores: readonly [number, number],
) => { element: OutlineElement | undefined; taken: 0 | 1; isDisagreement: boolean }

/**
 * Three-way: what one side changed is taken from it; of what both changed, the higher component score,
 * then the shorter, then the first side.
 */
export const chooseThreeWay: Choose = (base, [x, y], scores) => {
  const from = (taken: 0 | 1, isDisagreement = false) => ({
    element: taken === 0 ? x : y,
    taken,
    isDisagreement,
  })
  if (same(x, y) || same(base, y)) return from(0)
  if (same(base, x)) return from(1)
  const better = scores[0] - scores[1] || lengthOf(y) - lengthOf(x)
  return from(better >= 0 ? 0 : 1, true)
}

/**
 * Additive: nothing goes away, new elements and fields are added, and of an element that both have the
 * one with the longer text is taken, then the first side's.
 */
export const chooseAdditive: Choose = (_, [x, y]) => {
  if (!x || !y) return { element: x ?? y, taken: x ? 0 : 1, isDisagreement: false }
  const taken = textLength(y.value) > textLength(x.value) ? 1 : 0
  const [first, second] = taken === 0 ? [x, y] : [y, x]
  const element = { ...first, value: withNewKeys(first.value, second.value) }
  return { element, taken, isDisagreement: !saysSame(x, y) }
}

const same = (a: OutlineElement | undefined, b: OutlineElement | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && saysSame(a, b))

/** Characters of an element's value; 0 for one that is not there. */
export const lengthOf = (element: OutlineElement | undefined): number =>
  element === undefined ? 0 : JSON.stringify(element.value).length

/** The characters of all texts in a value. */
function textLength(value: Json | undefined): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, one: Json) => sum + textLength(one), 0)
}

/** `first` with the keys that only `second` has, at every depth; lists are not mixed. */
function withNewKeys(
  first: Record<string, Json>,
  second: Record<string, Json>,
): Record<string, Json> {
  const own = new Map(Object.entries(first))
  for (const [key, other] of Object.entries(second)) {
    const mine = own.get(key)
    if (!own.has(key)) own.set(key, other)
    else if (isRecord(mine) && isRecord(other)) own.set(key, withNewKeys(mine, other))
  }
  return Object.fromEntries(own)
}

const isRecord = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
