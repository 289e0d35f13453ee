import type { Json, OutlineElement } from '@almanac/domain'
import { saysSame } from './align.ts'

/**
 * A document under object keys: its elements by id, and the order of the children of each element by
 * the parent's id, that of the top by `''`. An element that goes away or moves is then a change of its
 * own key, whatever stands before or behind it.
 */
export type Keyed = {
  elements: Record<string, KeyedElement>
  order: Record<string, string[]>
}

export type KeyedElement = Pick<OutlineElement, 'level' | 'parentId' | 'value'>

/**
 * Puts elements under their ids. Elements that say the same in `like`, and stand in the same element
 * there, are taken from it, so that a comparison need not look into them.
 */
export function keyed(elements: readonly OutlineElement[], like?: Keyed): Keyed {
  const result: Keyed = { elements: {}, order: {} }
  for (const { id, level, parentId, value } of elements) {
    const key = escapedKey(id)
    const known = like && Object.hasOwn(like.elements, key) ? like.elements[key] : undefined
    const own: KeyedElement = { level, parentId, value: escaped(value) }
    const isSame = known?.parentId === parentId && saysSame(known, own)
    result.elements[key] = isSame ? known : own
    const parent = escapedKey(parentId ?? '')
    ;(result.order[parent] ??= []).push(id)
  }
  return result
}

/** The elements again, parents before children; those without a way to the top are left out. */
export function listed({ elements, order }: Keyed): OutlineElement[] {
  const found: OutlineElement[] = []
  const visit = (parent: string) => {
    const key = escapedKey(parent)
    for (const id of Object.hasOwn(order, key) ? (order[key] ?? []) : []) {
      const element = elements[escapedKey(id)]
      if (!element) continue
      const { level, parentId, value } = element
      found.push({ id, level, parentId, value: unescaped(value) })
      visit(id)
    }
  }
  visit('')
  return found
}

/**
 * A key that means nothing to jsondiffpatch (`_t` marks an array's delta) nor to JavaScript
 * (`__proto__`, `constructor`): such a one, and any that begins with an underscore, gets one more.
 */
export const escapedKey = (key: string): string =>
  key.startsWith('_') || key in Object.prototype ? `_${key}` : key

export const unescapedKey = (key: string): string => (key.startsWith('_') ? key.slice(1) : key)

/** `value` with every key escaped: a copy where it has objects or arrays, so that a patch may change it. */
const escaped = (value: Record<string, Json>): Record<string, Json> =>
  renamedKeys(value, escapedKey)

const unescaped = (value: Record<string, Json>): Record<string, Json> =>
  renamedKeys(value, unescapedKey)

function renamedKeys(
  value: Record<string, Json>,
  rename: (key: string) => string,
): Record<string, Json> {
  const copy: Record<string, Json> = {}
  for (const [key, one] of Object.entries(value)) {
    const name = rename(key)
    const inner = renamedIn(one, rename)
    if (name === '__proto__') Object.defineProperty(copy, name, { ...plain, value: inner })
    else copy[name] = inner
  }
  return copy
}

const plain = { writable: true, enumerable: true, configurable: true }

function renamedIn(value: Json, rename: (key: string) => string): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => renamedIn(one, rename))
  return renamedKeys(value, rename)
}
