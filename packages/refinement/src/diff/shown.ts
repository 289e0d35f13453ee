import type { Json } from '@almanac/domain'
import type { Change, Place } from './changes.ts'

/** One field of a changed element as people see it: what it held before and after, where it held any. */
export interface ShownField {
  name: string
  before: string | undefined
  after: string | undefined
}

/** The fields of a change: of a changed element those that differ, else all that it has. */
export function shownFields({ type, before, after, fields }: Change): ShownField[] {
  const names = fields ?? Object.keys({ ...before, ...after })
  if (type === 'moved') return []
  return names.map((name) => ({
    name,
    before: shownValue(before, name),
    after: shownValue(after, name),
  }))
}

function shownValue(value: Record<string, Json> | undefined, name: string): string | undefined {
  if (!value || !Object.hasOwn(value, name)) return undefined
  const field = value[name]
  if (typeof field === 'string') return field
  const isList = Array.isArray(field) && field.every((one) => typeof one === 'string')
  return isList ? field.join(', ') : JSON.stringify(field)
}

/** `place 3 of summary`; places are counted from 1. */
export const shownPlace = ({ parentId, place }: Place): string =>
  `place ${place + 1} of ${parentId ?? 'the document'}`

/** Where an element stands, where it does not stand at the top. */
export const shownParent = ({ parentId }: Change): string =>
  parentId === null ? '' : ` in ${parentId}`
