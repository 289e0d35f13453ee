import { describe, expect, it } from 'vitest'
import { fixturePackage, fixtureScope } from '../fixtures/package.ts'
import { reportJsonSchema } from './json-schema.ts'

interface Node {
  type: string
  properties?: Record<string, Node>
  required?: string[]
  additionalProperties?: boolean
  items?: Node
  enum?: string[]
}

function* nodes(node: Node): Generator<Node> {
  yield node
  for (const child of Object.values(node.properties ?? {})) yield* nodes(child)
  if (node.items) yield* nodes(node.items)
}

const { limits } = fixturePackage()
const schemaOf = (scope = fixtureScope) => reportJsonSchema({ scope, limits }) as unknown as Node

const itemOf = (schema: Node) =>
  schema.properties?.['sections']?.items?.properties?.['items']?.items

describe('the schema of an engine’s answer', () => {
  it('is strict: every field of every object is required, and no other is allowed', () => {
    const objects = [...nodes(schemaOf())].filter(({ type }) => type === 'object')
    expect(objects).toHaveLength(4)
    for (const { properties = {}, required, additionalProperties } of objects) {
      expect(required).toEqual(Object.keys(properties))
      expect(additionalProperties).toBe(false)
    }
  })

  it('uses no keyword that strict mode or a compatible server may lack', () => {
    const allowed = [
      'type',
      'properties',
      'required',
      'additionalProperties',
      'items',
      'enum',
      'description',
    ]
    for (const node of nodes(schemaOf()))
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(node)))
  })

  it('has the keys of the scope as enums, in its order', () => {
    const schema = schemaOf()
    const section = schema.properties?.['sections']?.items?.properties
    expect(section?.['deliverable']?.enum).toEqual(fixtureScope.deliverables)
    expect(itemOf(schema)?.properties?.['region']?.enum).toEqual(fixtureScope.regions)
    expect(itemOf(schema)?.properties?.['link']?.enum).toEqual(fixtureScope.links)
  })

  it('leaves an axis open that is too large for structured output', () => {
    const regions = Array.from({ length: 400 }, (_, i) => `region-${'x'.repeat(38)}${i}`)
    const schema = schemaOf({ ...fixtureScope, regions })
    expect(itemOf(schema)?.properties?.['region']).toMatchObject({ type: 'string' })
    expect(itemOf(schema)?.properties?.['region']?.enum).toBeUndefined()
    expect(itemOf(schema)?.properties?.['link']?.enum).toEqual(fixtureScope.links)
    const values = [...nodes(schema)].reduce((sum, node) => sum + (node.enum?.length ?? 0), 0)
    expect(values).toBeLessThanOrEqual(1_000)
  })

  it('refuses a package without a scope', () => {
    expect(() => reportJsonSchema({ scope: null, limits })).toThrow(/scope/)
  })
})
