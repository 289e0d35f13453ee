import { isDeepStrictEqual } from 'node:util'
import { resolved, type NumberNode, type SchemaNode, type StringNode } from './node.ts'

/** Whether `value` is what the schema asks for. Of formats, nothing is checked. */
export function fits(schema: SchemaNode, value: unknown): boolean {
  const node = resolved(schema)
  switch (node.kind) {
    case 'anything':
      return true
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'constant':
      return node.values.some((allowed) => isDeepStrictEqual(allowed, value))
    case 'any-of':
      return node.nodes.some((alternative) => fits(alternative, value))
    case 'string':
      return typeof value === 'string' && fitsString(node, value)
    case 'number':
      return typeof value === 'number' && fitsNumber(node, value)
    case 'array':
      return (
        Array.isArray(value) &&
        value.length >= node.min &&
        value.length <= node.max &&
        value.every((item) => fits(node.items, item))
      )
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
      const entries = Object.entries(value)
      return (
        [...node.required].every((name) => Object.hasOwn(value, name)) &&
        entries.every(([name, inner]) => {
          const property = node.properties.get(name) ?? node.others
          return property !== undefined && fits(property, inner)
        })
      )
    }
  }
}

/** Whether a text has the node's length (in characters) and pattern. */
export function fitsString({ min, max, pattern }: StringNode, text: string): boolean {
  const length = min > 0 || max < Infinity ? [...text].length : 0
  return length >= min && length <= max && (!pattern || new RegExp(pattern, 'u').test(text))
}

/** Whether a number is within the node's bounds and a multiple of what it must be. */
export function fitsNumber(node: NumberNode, value: number): boolean {
  const { integer, min, max, minExclusive, maxExclusive, multipleOf } = node
  if (!Number.isFinite(value) || (integer && !Number.isInteger(value))) return false
  if (value < min || (minExclusive && value === min)) return false
  if (value > max || (maxExclusive && value === max)) return false
  if (multipleOf === undefined) return true
  const quotient = value / multipleOf
  return Math.abs(quotient - Math.round(quotient)) < 1e-9
}
