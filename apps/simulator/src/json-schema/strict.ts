import { z } from 'zod'
import { SchemaError } from './node.ts'

/** What strict structured output takes at most in one schema. */
const strictLimits = { levels: 10, properties: 5_000, enumValues: 1_000 }

const object = z.record(z.string(), z.unknown())
const notPermitted = ['oneOf', 'allOf', 'not', 'if', 'then', 'else', 'prefixItems'] as const

/**
 * Holds a schema against the rules of strict structured output: an object at the root; every object
 * closed, with every property required; no keyword that cannot be enforced; the limits of size.
 * Throws SchemaError, worded as the provider does.
 */
export function assertStrict(schema: unknown): void {
  const root = object.safeParse(schema)
  if (!root.success) throw new SchemaError([], 'schema must be an object.')
  if (root.data.type !== 'object') {
    const found = JSON.stringify(root.data.type ?? 'None')
    throw new SchemaError([], `schema must be of 'type: "object"', got 'type: ${found}'.`)
  }
  const counts = { properties: 0, enumValues: 0 }
  visit(schema, [], 1, counts)
  for (const name of ['$defs', 'definitions'] as const)
    for (const [key, inner] of entries(root.data[name])) visit(inner, [name, key], 1, counts)
}

function visit(
  schema: unknown,
  context: string[],
  level: number,
  counts: { properties: number; enumValues: number },
): void {
  const parsed = object.safeParse(schema)
  if (!parsed.success) throw new SchemaError(context, 'schema must be an object.')
  const node = parsed.data
  const refused = notPermitted.find((keyword) => node[keyword] !== undefined)
  if (refused) throw new SchemaError(context, `'${refused}' is not permitted.`)
  if (level > strictLimits.levels)
    throw new SchemaError(context, `nesting is deeper than ${strictLimits.levels} levels.`)

  const properties = entries(node.properties)
  const types = [node.type].flat()
  if (types.includes('object') || node.properties !== undefined) assertClosed(node, context)
  if (types.includes('array') && node.items === undefined)
    throw new SchemaError(context, 'array schema missing items.')

  counts.properties += properties.length
  counts.enumValues += Array.isArray(node.enum) ? node.enum.length : 0
  if (counts.properties > strictLimits.properties)
    throw new SchemaError(context, `more than ${strictLimits.properties} properties in all.`)
  if (counts.enumValues > strictLimits.enumValues)
    throw new SchemaError(context, `more than ${strictLimits.enumValues} enum values in all.`)

  for (const [name, inner] of properties)
    visit(inner, [...context, 'properties', name], level + 1, counts)
  if (node.items !== undefined) visit(node.items, [...context, 'items'], level + 1, counts)
  for (const [index, inner] of Array.isArray(node.anyOf) ? node.anyOf.entries() : [])
    visit(inner, [...context, 'anyOf', String(index)], level, counts)
}

function assertClosed(node: Record<string, unknown>, context: string[]): void {
  if (node.additionalProperties !== false)
    throw new SchemaError(
      context,
      "'additionalProperties' is required to be supplied and to be false.",
    )
  const required = Array.isArray(node.required) ? node.required : []
  const missing = entries(node.properties).find(([name]) => !required.includes(name))
  if (missing)
    throw new SchemaError(
      context,
      `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing[0]}'.`,
    )
}

const entries = (value: unknown): [string, unknown][] => {
  const parsed = object.safeParse(value)
  return parsed.success ? Object.entries(parsed.data) : []
}
