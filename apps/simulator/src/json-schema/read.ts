import { z } from 'zod'
import type { Json } from '@almanac/domain'
import { assertFinite } from './depth.ts'
import { SchemaError, type RefNode, type SchemaNode } from './node.ts'
import { assertStrict } from './strict.ts'

const object = z.record(z.string(), z.unknown())
const count = z.int().min(0)

/** The keywords that the simulator reads; `z.unknown()` ones are read further on. */
const keywords = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.json()).min(1).optional(),
  const: z.json().optional(),
  anyOf: z.array(z.unknown()).min(1).optional(),
  oneOf: z.array(z.unknown()).min(1).optional(),
  $ref: z.string().optional(),
  properties: object.optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  minItems: count.optional(),
  maxItems: count.optional(),
  minLength: count.optional(),
  maxLength: count.optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  multipleOf: z.number().positive().optional(),
})
type Keywords = z.output<typeof keywords>

/** Keywords that the simulator does not play, in strict mode or out of it. */
const notPlayed = [
  ...['allOf', 'not', 'if', 'then', 'else', 'prefixItems', 'contains', 'patternProperties'],
  ...['propertyNames', 'minProperties', 'maxProperties', 'uniqueItems', 'dependentRequired'],
  ...['dependentSchemas', 'dependencies', 'unevaluatedItems', 'unevaluatedProperties'],
]

/**
 * Reads a request's JSON schema. With `strict` it must obey the rules of strict structured output.
 * Throws SchemaError for what is wrong, or is not played.
 */
export function readSchema(schema: unknown, { strict }: { strict: boolean }): SchemaNode {
  if (strict) assertStrict(schema)
  const refs = new Map<string, RefNode>()
  const root = readNode(schema, [], refs)
  const defined = new Map<string, SchemaNode>([['#', root]])
  // Reading a definition can meet references to others, which the same loop then reaches.
  for (const [pointer, ref] of refs) {
    const target = defined.get(pointer) ?? readNode(...at(schema, pointer), refs)
    defined.set(pointer, target)
    ref.target = target
  }
  assertFinite(root)
  return root
}

function readNode(schema: unknown, context: string[], refs: Map<string, RefNode>): SchemaNode {
  if (schema === true) return { kind: 'anything' }
  const raw = object.safeParse(schema)
  if (!raw.success) throw new SchemaError(context, 'schema must be an object.')
  const unplayed = notPlayed.find((keyword) => raw.data[keyword] !== undefined)
  if (unplayed) throw new SchemaError(context, `'${unplayed}' is not permitted.`)
  const parsed = keywords.safeParse(raw.data)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SchemaError(context, `'${issue?.path.join('.')}' is not valid: ${issue?.message}.`)
  }
  return readKeywords(parsed.data, context, refs)
}

function readKeywords(schema: Keywords, context: string[], refs: Map<string, RefNode>): SchemaNode {
  if (schema.$ref !== undefined) return reference(schema.$ref, context, refs)
  if (schema.const !== undefined) return { kind: 'constant', values: [schema.const] }
  if (schema.enum) return { kind: 'constant', values: allowedBy(schema, schema.enum) }
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives) {
    if (schema.type !== undefined)
      throw new SchemaError(context, "'type' beside 'anyOf' is not permitted.")
    const name = schema.anyOf ? 'anyOf' : 'oneOf'
    const nodes = alternatives.map((one, i) => readNode(one, [...context, name, String(i)], refs))
    return { kind: 'any-of', nodes }
  }
  if (Array.isArray(schema.type)) {
    const nodes = schema.type.map((type) => readType(type, schema, context, refs))
    return { kind: 'any-of', nodes }
  }
  const implied = schema.properties ? 'object' : schema.items === undefined ? undefined : 'array'
  const type = schema.type ?? implied
  return type === undefined ? { kind: 'anything' } : readType(type, schema, context, refs)
}

function readType(
  type: string,
  schema: Keywords,
  context: string[],
  refs: Map<string, RefNode>,
): SchemaNode {
  switch (type) {
    case 'object': {
      const properties = Object.entries(schema.properties ?? {}).map(
        ([name, inner]) => [name, readNode(inner, [...context, 'properties', name], refs)] as const,
      )
      const others = schema.additionalProperties ?? true
      return {
        kind: 'object',
        properties: new Map(properties),
        required: new Set(schema.required),
        others:
          others === false
            ? undefined
            : readNode(others, [...context, 'additionalProperties'], refs),
      }
    }
    case 'array': {
      const items = readNode(schema.items ?? true, [...context, 'items'], refs)
      return { kind: 'array', items, min: schema.minItems ?? 0, max: schema.maxItems ?? Infinity }
    }
    case 'string':
      return {
        kind: 'string',
        min: schema.minLength ?? 0,
        max: schema.maxLength ?? Infinity,
        ...(schema.format === undefined ? {} : { format: schema.format }),
        ...(schema.pattern === undefined ? {} : { pattern: schema.pattern }),
      }
    case 'integer':
    case 'number':
      return numberNode(type === 'integer', schema)
    case 'boolean':
    case 'null':
      return { kind: type }
    default:
      throw new SchemaError(context, `'${type}' is not a type.`)
  }
}

function numberNode(integer: boolean, schema: Keywords): SchemaNode {
  const { minimum = -Infinity, maximum = Infinity, multipleOf } = schema
  const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema
  return {
    kind: 'number',
    integer,
    min: Math.max(minimum, exclusiveMinimum),
    max: Math.min(maximum, exclusiveMaximum),
    minExclusive: exclusiveMinimum >= minimum && exclusiveMinimum !== -Infinity,
    maxExclusive: exclusiveMaximum <= maximum && exclusiveMaximum !== Infinity,
    ...(multipleOf === undefined ? {} : { multipleOf }),
  }
}

/** The values of an enum that its `type` allows besides. */
function allowedBy({ type }: Keywords, values: Json[]): Json[] {
  if (type === undefined) return values
  const types = Array.isArray(type) ? type : [type]
  return values.filter((value) => {
    const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
    return types.includes(is) || (types.includes('integer') && Number.isInteger(value))
  })
}

function reference(pointer: string, context: string[], refs: Map<string, RefNode>): RefNode {
  if (!pointer.startsWith('#'))
    throw new SchemaError(context, `'$ref' ${pointer} must point into the schema itself.`)
  const ref = refs.get(pointer) ?? { kind: 'ref', pointer }
  refs.set(pointer, ref)
  return ref
}

/** The part of `schema` that a JSON pointer names, and where it stands. */
function at(schema: unknown, pointer: string): [part: unknown, context: string[]] {
  const path = pointer
    .slice(1)
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
  const part = path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name)
        ? Reflect.get(inner, name)
        : undefined,
    schema,
  )
  if (part === undefined) throw new SchemaError([], `'$ref' ${pointer} leads to no schema.`)
  return [part, path]
}
