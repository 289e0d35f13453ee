/** The parts of a JSON schema that the page shows. */
export interface JsonSchema {
  $ref?: string
  type?: string | readonly string[]
  enum?: readonly unknown[]
  const?: unknown
  anyOf?: readonly JsonSchema[]
  oneOf?: readonly JsonSchema[]
  items?: JsonSchema
  properties?: Readonly<Record<string, JsonSchema>>
  additionalProperties?: JsonSchema | boolean
  required?: readonly string[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  format?: string
  description?: string
}

export type Resolve = (schema: JsonSchema) => JsonSchema

/** A field as a row of a table. */
export interface FieldRow {
  name: string
  says: string
}

const safe = Number.MAX_SAFE_INTEGER

/** The fields of an object, one or two levels deep, with type, bounds, default. */
export function fieldRows(schema: JsonSchema, resolve: Resolve, prefix = ''): FieldRow[] {
  const { properties = {}, required = [] } = resolve(schema)
  return Object.entries(properties).flatMap(([name, raw]) => {
    const field = resolve(raw)
    const needed = required.includes(name) ? 'required' : 'optional'
    const otherwise =
      field.default === undefined ? [] : [`default ${JSON.stringify(field.default)}`]
    const says = [typeOf(field, resolve), ...boundsOf(field), needed, ...otherwise].join(', ')
    const inner = prefix === '' && field.properties ? fieldRows(field, resolve, `${name}.`) : []
    return [{ name: `${prefix}${name}`, says }, ...inner]
  })
}

/** The alternatives of a schema, or the schema itself when it has none. */
export function variantsOf(schema: JsonSchema, resolve: Resolve): JsonSchema[] {
  const { anyOf, oneOf } = resolve(schema)
  return [...(oneOf ?? anyOf ?? [schema])].map(resolve)
}

function typeOf(schema: JsonSchema, resolve: Resolve): string {
  const { enum: values, const: only, anyOf, oneOf, items, type, properties } = resolve(schema)
  if (only !== undefined) return JSON.stringify(only)
  if (values) return values.map((value) => JSON.stringify(value)).join(' | ')
  const alternatives = oneOf ?? anyOf
  if (alternatives) return alternatives.map((one) => typeOf(one, resolve)).join(' or ')
  if (items) return `list of ${typeOf(items, resolve)}`
  if (properties) return 'object'
  return type === undefined ? 'any JSON' : [type].flat().map(nounOf).join(' or ')
}

const nouns: Record<string, string> = { string: 'text', integer: 'whole number' }
const nounOf = (type: string): string => nouns[type] ?? type

function boundsOf({ minimum, maximum, minLength, maxLength, format }: JsonSchema): string[] {
  const least = minimum === undefined || minimum <= -safe ? undefined : minimum
  const most = maximum === undefined || maximum >= safe ? undefined : maximum
  return [
    ...(format === undefined ? [] : [format]),
    ...rangeOf(least, most, ''),
    ...rangeOf(minLength, maxLength, ' characters'),
  ]
}

function rangeOf(least: number | undefined, most: number | undefined, unit: string): string[] {
  if (least !== undefined && most !== undefined) return [`${least} to ${most}${unit}`]
  if (least !== undefined) return [`at least ${least}${unit}`]
  return most === undefined ? [] : [`at most ${most}${unit}`]
}
