import type { PhaseKind } from '@almanac/domain'

/**
 * A task as people in the field know it, before it meets a purpose. In texts, `{object}` stands for what
 * the purpose names, without article. A step may hold one `|`: what follows is left out where the style
 * is terse. The first step opens the task, and the others can each be left out.
 */
export interface Archetype {
  kind: PhaseKind
  key: string
  name: string
  /** What there is after it. */
  gives: string
  steps: readonly string[]
  /** How one sees that it is done. */
  done: string
  /** Why it is done, for those who have never done it. */
  why: string
}

/** Writes an archetype on few lines. */
export const archetype = (
  kind: PhaseKind,
  key: string,
  name: string,
  gives: string,
  steps: readonly string[],
  done: string,
  why: string,
): Archetype => ({ kind, key, name, gives, steps, done, why })

/** The classes of things. */
export type SubjectName =
  | 'customers'
  | 'data'
  | 'documents'
  | 'equipment'
  | 'events'
  | 'goods'
  | 'incidents'
  | 'money'
  | 'organisations'
  | 'people'
  | 'places'
  | 'rules'
  | 'software'

/** What is known of one class of verbs: its tasks in the order in which they are done. */
export interface Act {
  /** What must be there before the first task. */
  input: string
  /** The class of what it is done to, where nothing says it. */
  subject: SubjectName
  /** The key of the task without which it would be another act. */
  core: string
  /** Who does it besides the audience, and what that role answers for. */
  counterpart: { name: string; duty: string }
  tasks: readonly Archetype[]
}

/** What is known of one class of things, whatever is done to them. */
export interface Subject {
  tasks: readonly Archetype[]
}
