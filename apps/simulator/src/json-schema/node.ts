import type { Json } from '@almanac/domain'

/** One place of a JSON schema, read and checked, as the generator and the checker walk it. */
export type SchemaNode =
  | ObjectNode
  | ArrayNode
  | StringNode
  | NumberNode
  | { kind: 'boolean' }
  | { kind: 'null' }
  | { kind: 'anything' }
  | { kind: 'constant'; values: readonly Json[] }
  | { kind: 'any-of'; nodes: readonly SchemaNode[] }
  | RefNode

export interface ObjectNode {
  kind: 'object'
  /** In the schema's order, which is the order of the keys of an answer. */
  properties: ReadonlyMap<string, SchemaNode>
  required: ReadonlySet<string>
  /** What properties that the schema does not name must be; undefined where none is allowed. */
  others: SchemaNode | undefined
}

export interface ArrayNode {
  kind: 'array'
  items: SchemaNode
  min: number
  max: number
}

export interface StringNode {
  kind: 'string'
  min: number
  max: number
  format?: string
  pattern?: string
}

export interface NumberNode {
  kind: 'number'
  integer: boolean
  min: number
  max: number
  /** Whether `min` and `max` themselves are left out. */
  minExclusive: boolean
  maxExclusive: boolean
  multipleOf?: number
}

/** A `$ref`; its target is known when the whole schema has been read. */
export interface RefNode {
  kind: 'ref'
  pointer: string
  target?: SchemaNode
}

/** Something that is wrong with a request's schema, at `context`: names from the root down. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'

  constructor(context: readonly string[], problem: string) {
    super(`In context=(${context.map((part) => `'${part}'`).join(', ')}), ${problem}`)
  }
}

/** The node behind `node`, however many references lead to it. */
export function resolved(node: SchemaNode): Exclude<SchemaNode, RefNode> {
  const seen = new Set<SchemaNode>()
  let at = node
  while (at.kind === 'ref') {
    if (seen.has(at) || !at.target)
      throw new SchemaError([], `'$ref' ${at.pointer} leads to no schema.`)
    seen.add(at)
    at = at.target
  }
  return at
}

/** The nodes right inside `node`. */
export function innerNodes(node: SchemaNode): readonly SchemaNode[] {
  switch (node.kind) {
    case 'object':
      return [...node.properties.values(), ...(node.others ? [node.others] : [])]
    case 'array':
      return [node.items]
    case 'any-of':
      return node.nodes
    case 'ref':
      return node.target ? [node.target] : []
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
    case 'anything':
    case 'constant':
      return []
  }
}
