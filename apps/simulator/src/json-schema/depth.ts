import { innerNodes, SchemaError, type SchemaNode } from './node.ts'

const depths = new WeakMap<SchemaNode, number>()

/** How deep the shallowest value of a node that `assertFinite` has seen is; 0 for a scalar. */
export const depthOf = (node: SchemaNode): number => depths.get(node) ?? 0

/** Measures the shallowest value of every node; throws SchemaError for a schema that has no end. */
export function assertFinite(root: SchemaNode): void {
  const nodes = new Set([root])
  for (const node of nodes) for (const inner of innerNodes(node)) nodes.add(inner)
  for (const node of nodes) depths.set(node, Infinity)
  for (let changed = true; changed;) {
    changed = false
    for (const node of nodes) {
      const depth = shallowest(node)
      if (depth >= depthOf(node)) continue
      depths.set(node, depth)
      changed = true
    }
  }
  if (depthOf(root) === Infinity)
    throw new SchemaError([], 'the schema refers to itself without an end.')
}

function shallowest(node: SchemaNode): number {
  switch (node.kind) {
    case 'object':
      return [...node.properties]
        .filter(([name]) => node.required.has(name))
        .reduce((deepest, [, inner]) => Math.max(deepest, 1 + depthOf(inner)), 0)
    case 'array':
      return node.min === 0 ? 0 : 1 + depthOf(node.items)
    case 'any-of':
      return Math.min(...node.nodes.map(depthOf))
    case 'ref':
      return node.target ? depthOf(node.target) : Infinity
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
    case 'anything':
    case 'constant':
      return 0
  }
}
