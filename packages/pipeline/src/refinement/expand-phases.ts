import type { CallContext } from '../calls/call-engine.ts'
import {
  bookGeneration,
  childrenOf,
  type GrowPorts,
  type PlannedGeneration,
} from './grow-generation.ts'
import type { JudgedDocument } from './judged.ts'
import type { PreparedGeneration, RefinedRoot } from './refinement-port.ts'

/**
 * Asks for a generation that expands the parts of the best version that are more complex than `above`, one
 * child a part, through the same guard and booking as variants. A part is asked for once a root, whatever
 * came of it. `nothing_complex`: there is no such part, or the kind has none. Throws REFINEMENT_REFUSED.
 */
export async function expandPhases(
  context: CallContext,
  root: RefinedRoot,
  conditions: PlannedGeneration['conditions'],
  best: JudgedDocument,
  above: number | undefined,
  ports: GrowPorts,
): Promise<PreparedGeneration['kind'] | 'nothing_complex'> {
  const { expansion } = context.kind
  if (above === undefined || !expansion) return 'nothing_complex'
  const parts = expansion.parts(best.content, {
    above,
    most: childrenOf(root),
    tried: root.expanded,
  })
  if (parts.length === 0) return 'nothing_complex'
  const children = parts.map(({ id, brief }) => ({ strategy: 'expand', part: id, brief }))
  return bookGeneration(
    context,
    root.lineage,
    { kind: 'expand', conditions, children, best },
    ports,
  )
}
