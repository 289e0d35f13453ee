import { isAlmanacError, type Issue } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readInput } from './read-input.ts'

const issuesFor = (schema: z.ZodType, value: unknown): Issue[] => {
  try {
    readInput([{ within: '', schema, value }])
    return []
  } catch (error) {
    if (isAlmanacError(error, 'INPUT_INVALID')) return error.params.issues
    throw error
  }
}

describe('input', () => {
  it('is parsed part by part', () => {
    const query = z.strictObject({ limit: z.coerce.number().default(20) })
    const body = z.strictObject({ name: z.string() })
    expect(
      readInput([
        { within: 'query', schema: query, value: {} },
        { within: '', schema: body, value: { name: 'x' } },
      ]),
    ).toEqual([{ limit: 20 }, { name: 'x' }])
  })

  it.each([
    [z.strictObject({ a: z.string() }), {}, 'a', 'is missing; it must be a text'],
    [z.strictObject({ a: z.int() }), { a: 1.5 }, 'a', 'must be a whole number'],
    [z.strictObject({ a: z.boolean() }), { a: 'x' }, 'a', 'must be true or false'],
    [z.strictObject({ a: z.enum(['x', 'y']) }), { a: 'z' }, 'a', 'must be one of x, y'],
    [z.strictObject({ a: z.literal('x') }), { a: 'z' }, 'a', 'must be x'],
    [z.strictObject({ a: z.string().min(1) }), { a: '' }, 'a', 'must have at least 1 character'],
    [z.strictObject({ a: z.string().max(2) }), { a: 'abc' }, 'a', 'must have at most 2 characters'],
    [
      z.strictObject({ a: z.array(z.int()).min(2) }),
      { a: [] },
      'a',
      'must have at least 2 entries',
    ],
    [z.strictObject({ a: z.number().gt(3) }), { a: 3 }, 'a', 'must be more than 3'],
    [z.strictObject({ a: z.number().max(3) }), { a: 4 }, 'a', 'must be at most 3'],
    [z.strictObject({ a: z.array(z.int()) }), { a: [1, 'x'] }, 'a.1', 'must be a number'],
    [z.strictObject({ a: z.int() }), { a: 1, b: 2 }, 'b', 'is not known here; known are a'],
    [z.strictObject({ a: z.int() }), [], 'body', 'must be an object'],
    [
      z.strictObject({ a: z.iso.datetime() }),
      { a: 'now' },
      'a',
      'must be an instant in UTC such as 2026-11-21T08:00:00Z',
    ],
    [
      z.strictObject({ a: z.union([z.literal('*'), z.array(z.int())]) }),
      { a: 1 },
      'a',
      'must be *, or must be a list',
    ],
  ])('%#: says what is wrong in words', (schema, value, field, message) => {
    expect(issuesFor(schema, value)).toEqual([expect.objectContaining({ field, message })])
  })

  it('shows what was found, but not all of it', () => {
    const [issue] = issuesFor(z.strictObject({ a: z.int() }), { a: 'ä'.repeat(500) })
    expect(issue?.value).toHaveLength(80)
    const [missing] = issuesFor(z.strictObject({ a: z.int() }), {})
    expect(missing).not.toHaveProperty('value')
  })

  it('names at most a hundred problems', () => {
    const value = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]))
    expect(issuesFor(z.strictObject({}), value)).toHaveLength(100)
  })

  it('of any kind is parsed or refused in words, and never throws anything else', () => {
    const schema = z.strictObject({
      name: z.string().max(5),
      count: z.int().min(1),
      tags: z.array(z.string()).max(3),
      anything: z.json(),
    })
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.boolean(), (json, within) => {
        const value = within ? { name: json, count: json, tags: json, anything: json } : json
        for (const { field, message } of issuesFor(schema, value)) {
          expect(field).not.toBe('')
          expect(message).toMatch(/^(must|is|has) /)
          expect(message).not.toMatch(/undefined|NaN|\[object/)
        }
      }),
    )
  })
})
