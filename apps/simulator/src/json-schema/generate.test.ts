import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { seededNumbers } from '../seeded.ts'
import { fits } from './fits.ts'
import { generate } from './generate.ts'
import { SchemaError } from './node.ts'
import { readSchema } from './read.ts'

type Raw = Record<string, unknown>

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const defined = (schema: Raw): Raw =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined))

const bounds = (least: number, most: number) =>
  fc
    .tuple(optional(fc.integer({ min: least, max: most })), fc.nat(30))
    .map(([low, more]) => [low, low === undefined ? undefined : low + more] as const)

const strings = fc.oneof(
  bounds(0, 60).map(([minLength, maxLength]) => defined({ type: 'string', minLength, maxLength })),
  fc.constantFrom('date', 'date-time', 'email', 'uuid', 'ipv4', 'uri').map((format) => ({
    type: 'string',
    format,
  })),
  fc
    .constantFrom(
      '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
      '^\\d{4}-W(0[1-9]|[1-4]\\d|5[0-3])$',
      '^[^"<>\\s]{3,8}$',
      '^(?:run|spec)_[0-9a-hjkmnp-tv-z]{26}$',
      'a+b?|[\\w.]+@x',
    )
    .map((pattern) => ({ type: 'string', pattern })),
)
const integers = bounds(-500, 500).map(([minimum, maximum]) =>
  defined({ type: 'integer', minimum, maximum }),
)
const numbers = fc
  .tuple(bounds(-500, 500), fc.boolean(), optional(fc.constantFrom(0.25, 0.5, 2)))
  .map(([[low, high], isExclusive, multipleOf]) =>
    defined({
      type: 'number',
      [isExclusive ? 'exclusiveMinimum' : 'minimum']: low,
      // Wide enough for a multiple to lie between.
      maximum: high === undefined ? undefined : high + 4,
      multipleOf,
    }),
  )
const scalars = fc.oneof(fc.string(), fc.integer(), fc.boolean())
const leaves: fc.Arbitrary<Raw> = fc.oneof(
  strings,
  integers,
  numbers,
  fc.constantFrom({ type: 'boolean' }, { type: 'null' }, { type: ['string', 'null'] }),
  fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 5 }).map((values) => ({ enum: values })),
  scalars.map((value) => ({ const: value })),
)

const names = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme-ascii' })
const objectOf = (inner: fc.Arbitrary<Raw>): fc.Arbitrary<Raw> =>
  fc
    .dictionary(
      names.filter((name) => name !== '__proto__'),
      fc.tuple(inner, fc.boolean()),
      { maxKeys: 4 },
    )
    .map((properties) => ({
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, [schema]]) => [name, schema]),
      ),
      required: Object.keys(properties).filter((name) => properties[name]?.[1]),
      additionalProperties: false,
    }))

const { schema: schemas } = fc.letrec<{ schema: Raw }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaves,
    objectOf(tie('schema')),
    fc.tuple(tie('schema'), fc.nat(3), fc.nat(3)).map(([items, minItems, more]) => ({
      type: 'array',
      items,
      minItems,
      maxItems: minItems + more,
    })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.constantFrom({ $ref: '#/$defs/tree' }, { $ref: '#/$defs/list' }),
  ),
}))

/** Two schemas that refer to themselves and to each other, whose values must still end. */
const definitions = {
  tree: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      children: { type: 'array', items: { $ref: '#/$defs/tree' } },
    },
    required: ['name', 'children'],
    additionalProperties: false,
  },
  list: {
    type: 'object',
    properties: {
      head: { $ref: '#/$defs/tree' },
      tail: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'null' }] },
    },
    required: ['head', 'tail'],
    additionalProperties: false,
  },
}

const rooted = (schema: Raw): Raw => ({
  type: 'object',
  properties: { root: schema },
  required: ['root'],
  additionalProperties: false,
  $defs: definitions,
})

test('what is generated fits its schema, by zod’s reading of it and by our own', () => {
  fc.assert(
    fc.property(schemas.map(rooted), fc.string(), (schema, seed) => {
      const node = readSchema(schema, { strict: false })
      const value = generate(node, seededNumbers(seed))
      expect(fits(node, value)).toBe(true)
      const result = z.fromJSONSchema(schema).safeParse(value)
      expect(result.error?.issues ?? []).toEqual([])
    }),
    { numRuns: 1_000 },
  )
})

test('a value that was changed at one place does not fit', () => {
  const node = readSchema(
    rooted({
      type: 'array',
      items: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
      maxItems: 2,
    }),
    { strict: true },
  )
  expect(fits(node, { root: [1, null] })).toBe(true)
  expect(fits(node, { root: [0] })).toBe(false)
  expect(fits(node, { root: [1.5] })).toBe(false)
  expect(fits(node, { root: ['1'] })).toBe(false)
  expect(fits(node, { root: [1, 1, 1] })).toBe(false)
  expect(fits(node, { root: [], more: 1 })).toBe(false)
  expect(fits(node, {})).toBe(false)
  expect(fits(node, null)).toBe(false)
})

test('equal seeds give equal values, other seeds other ones', () => {
  const node = readSchema(rooted({ $ref: '#/$defs/list' }), { strict: true })
  const value = (seed: string) => JSON.stringify(generate(node, seededNumbers(seed)))
  expect(value('one')).toBe(value('one'))
  expect(new Set(Array.from({ length: 20 }, (_, n) => value(String(n)))).size).toBeGreaterThan(15)
})

test.each([
  ['a schema without end', { $ref: '#/$defs/loop' }, 'without an end'],
  ['a reference to nothing', { $ref: '#/$defs/none' }, 'leads to no schema'],
  ['a reference to itself', { $ref: '#/$defs/self' }, ''],
  ['an unknown type', { type: 'date' }, "'date' is not a type"],
  ['a keyword that is not played', { type: 'string', not: {} }, "'not' is not permitted"],
  ['a keyword of the wrong type', { type: 'array', minItems: -1, items: {} }, "'minItems'"],
])('refuses %s', (_, root, problem) => {
  const schema = {
    ...rooted(root),
    $defs: {
      loop: { type: 'object', properties: { on: { $ref: '#/$defs/loop' } }, required: ['on'] },
      self: { $ref: '#/$defs/self' },
    },
  }
  const read = () => readSchema(schema, { strict: false })
  expect(read).toThrow(SchemaError)
  expect(read).toThrow(problem)
})

test.each([
  [{ type: 'string', pattern: '^(?=a)b$' }, 'pattern'],
  [{ type: 'string', minLength: 5, maxLength: 2 }, 'minLength'],
  [{ type: 'array', items: {}, minItems: 5, maxItems: 2 }, 'minItems'],
  [{ type: 'integer', minimum: 5, maximum: 4 }, 'bounds'],
  [{ type: 'integer', enum: ['a'] }, 'enum'],
])('says that it cannot make a value of %j', (schema, problem) => {
  const node = readSchema(rooted(schema), { strict: false })
  expect(() => generate(node, seededNumbers('1'))).toThrow(problem)
})
