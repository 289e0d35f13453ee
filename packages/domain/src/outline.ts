import type { Json } from './canonical-json.ts'

export const outlineLevels = ['metadata', 'phase', 'module', 'section', 'item'] as const
export type OutlineLevel = (typeof outlineLevels)[number]

/**
 * One element of a document, as diff and merge see it: a report's section or item, a workflow's phase,
 * task (level `item`) or module.
 */
export interface OutlineElement {
  level: OutlineLevel
  /** Unique in the document, whatever the level; never empty. */
  id: string
  /** The id of the element that it stands in; null at the top. */
  parentId: string | null
  /**
   * What it says itself, without its children. The element of level `metadata` may hold `id`, which no
   * version changes, and `version`, which becomes the version's label.
   */
  value: Record<string, Json>
}

/**
 * An element where it stands in stored content. In another version it is found again by its id, or,
 * where the id is made from the words and changed with them, by one of its topics.
 */
export interface PlacedElement extends OutlineElement {
  /** JSON pointer to it; a finding belongs to the element whose path is the longest start of its own. */
  path: string
  /** What it is about, the surest first: `final-rules/fact/ohio/food/["register/1"]`. */
  topics?: readonly string[]
}

/**
 * A document as a flat list of elements: parents before children, siblings in the document's order. A
 * kind of document makes it (`outline`) and reads it back (`compose`), and gives up nothing on the way.
 */
export type Outline = readonly PlacedElement[]
