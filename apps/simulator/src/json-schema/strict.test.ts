import { expect, test } from 'vitest'
import { readSchema } from './read.ts'

const closed = (properties: Record<string, object>, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})
const nested = (levels: number): object =>
  levels === 0 ? { type: 'string' } : closed({ inner: nested(levels - 1) })

test.each<[string, object, string]>([
  ['an open root', { type: 'object', properties: {} }, "In context=(), 'additionalProperties'"],
  [
    'an open object inside',
    closed({ a: { type: 'array', items: { type: 'object', properties: {} } } }),
    "In context=('properties', 'a', 'items'), 'additionalProperties'",
  ],
  [
    'a property that is not required',
    { ...closed({ a: { type: 'string' }, b: { type: 'string' } }), required: ['a'] },
    "including every key in properties. Missing 'b'.",
  ],
  ['a root that is no object', { type: 'array', items: {} }, `got 'type: "array"'`],
  ['oneOf', closed({ a: { oneOf: [{ type: 'string' }] } }), "'oneOf' is not permitted"],
  ['an array without items', closed({ a: { type: 'array' } }), 'array schema missing items'],
  ['eleven levels', nested(11), 'nesting is deeper than 10 levels'],
  [
    'too many enum values',
    closed({ a: { enum: Array.from({ length: 1_001 }, (_, n) => `v${n}`) } }),
    'more than 1000 enum values',
  ],
  [
    'an open definition',
    closed({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { type: 'object', properties: {} } } }),
    "In context=('$defs', 'x'), 'additionalProperties'",
  ],
])('strict mode refuses %s', (_, schema, problem) => {
  expect(() => readSchema(schema, { strict: true })).toThrow(problem)
})

test('strict mode takes what structured output takes', () => {
  const schema = closed({
    text: { type: 'string', description: 'Free text.', pattern: '^.+$' },
    maybe: { type: ['integer', 'null'], minimum: 0 },
    either: { anyOf: [closed({ kind: { const: 'a' } }), closed({ kind: { enum: ['b', 'c'] } })] },
    deep: nested(8),
  })
  expect(readSchema({ $schema: 'x', ...schema }, { strict: true }).kind).toBe('object')
})
