import type { OutlineElement } from '@almanac/domain'
import { align } from '../diff/align.ts'
import { findingsBeyond, type Judgement } from './judgement.ts'
import type { MergePorts, Variant } from './merge.ts'
import { enter, withAdditions, type Standing } from './standing.ts'

/** A document that somebody else made of several: its elements, and the ids of the versions it is made of. */
export interface MergeProposal {
  elements: readonly OutlineElement[]
  parents: readonly string[]
}

/**
 * A proposed merge as a document, where it is worth to be taken: it is made of at least two of the
 * variants, scores at least as much as each of them, and has no finding that none of them has. Throws
 * what the kind throws for elements that are no document of it.
 */
export function takeProposal<Content>(
  { kind, judge }: MergePorts<Content>,
  ancestor: Content,
  variants: readonly Variant<Content>[],
  { elements, parents }: MergeProposal,
): (Judgement & { content: Content; parents: string[] }) | undefined {
  const content = kind.compose(elements)
  const made = variants.filter(({ id }) => parents.includes(id))
  if (made.length < 2) return undefined
  const judged = judge(content)
  if (made.some(({ score }) => score > judged.score)) return undefined
  let known = kind.outline(ancestor)
  const sides: Standing<Content>[] = []
  for (const variant of made) {
    const side = enter(kind, variant, known)
    sides.push(side)
    known = withAdditions(known, side.elements)
  }
  const joined = { elements: align(kind.outline(content), known).elements, ...judged }
  if (findingsBeyond(joined, sides).length > 0) return undefined
  return { ...judged, content, parents: made.map(({ id }) => id) }
}
