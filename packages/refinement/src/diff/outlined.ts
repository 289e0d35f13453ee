import type { Outline, OutlineElement } from '@almanac/domain'

/** What diff and merge need of a kind of document; `compose(outline(content))` equals `content`. */
export interface Outlined<Content> {
  outline(content: Content): Outline
  compose(elements: readonly OutlineElement[]): Content
}
