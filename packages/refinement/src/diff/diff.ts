import { AlmanacError, canonicalJson, type Outline, type OutlineElement } from '@almanac/domain'
import { DiffPatcher, type Delta } from 'jsondiffpatch'
import { align, sameJson } from './align.ts'
import { changesOf, type Change } from './changes.ts'
import { keyed, listed } from './keyed.ts'
import type { Outlined } from './outlined.ts'

/** What turns one document into another; it is JSON, and may be stored. */
export interface Diff {
  /** For people: by level, then what is gone in the old order, then the others in the new one. */
  changes: Change[]
  /** For `applyDiff`: jsondiffpatch's delta of the documents under object keys; null for equal ones. */
  delta: NonNullable<Delta> | null
}

const patcher = new DiffPatcher({
  objectHash: (value: object | null) => {
    const id: unknown = value && Reflect.get(value, 'id')
    return typeof id === 'string' ? id : canonicalJson(value)
  },
  arrays: { detectMove: true, includeValueOnMove: false },
})

/** What turns `before` into `after`, two documents of one kind. */
export function diff<Content>(kind: Outlined<Content>, before: Content, after: Content): Diff {
  return diffOutlines(kind.outline(before), kind.outline(after))
}

/** As `diff`, of two outlines. */
export function diffOutlines(before: Outline, after: Outline): Diff {
  const { elements, ownIds } = align(after, before)
  const old = keyed(before)
  const delta = patcher.diff(old, keyed(elements, old))
  return delta === undefined
    ? { changes: [], delta: null }
    : { changes: changesOf(delta, before, elements, ownIds), delta }
}

/**
 * The document that `difference` makes of `before`. Throws INPUT_INVALID when it was made from a
 * document that says something else where the two differ.
 */
export function applyDiff<Content>(
  kind: Outlined<Content>,
  before: Content,
  difference: Diff,
): Content {
  return kind.compose(applyToOutline(kind.outline(before), difference))
}

function applyToOutline(before: Outline, { changes, delta }: Diff): OutlineElement[] {
  checkOrigin(before, changes)
  const elements = keyed(before)
  // A patch takes values over from the delta, which stays as it is.
  if (delta !== null) patcher.patch(elements, structuredClone(delta))
  return listed(elements)
}

function checkOrigin(before: Outline, changes: readonly Change[]): void {
  const values = new Map(before.map(({ id, value }) => [id, value]))
  const foreign = changes.find(({ type, id, before: said }) =>
    type === 'added'
      ? values.has(id)
      : !values.has(id) || (said !== undefined && !sameJson(said, values.get(id))),
  )
  if (!foreign) return
  const message = `must be the document that the diff was made from: ${foreign.level} ${foreign.id} is not as it was there`
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'before', message, value: JSON.stringify(values.get(foreign.id) ?? null) }],
  })
}
