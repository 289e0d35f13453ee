import type { Outline } from '@almanac/domain'
import { align } from '../diff/align.ts'
import type { Outlined } from '../diff/outlined.ts'
import type { Judgement } from './judgement.ts'
import type { Variant } from './merge.ts'

/** A document on its way through a merge, its elements under the ancestor's ids. */
export interface Standing<Content> extends Judgement {
  content: Content
  elements: Outline
  /** The variants that are in it. */
  ids: string[]
}

/** A variant as it enters a merge; `known` are the elements whose ids it takes where it means the same. */
export function enter<Content>(
  kind: Outlined<Content>,
  { id, depth: _, content, ...judgement }: Variant<Content>,
  known: Outline,
): Standing<Content> {
  const { elements } = align(kind.outline(content), known)
  return { ...judgement, content, elements, ids: [id] }
}

/** The ancestor's elements, and those that are new in another document. */
export function withAdditions(base: Outline, elements: Outline): Outline {
  const ids = new Set(base.map(({ id }) => id))
  return [...base, ...elements.filter(({ id }) => !ids.has(id))]
}
