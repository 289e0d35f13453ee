import { AlmanacError, isStorable } from '@almanac/domain'

/** What every list is asked: at most `limit` rows after the cursor. */
export interface PageQuery {
  limit: number
  cursor?: string | undefined
}

/** A page with the cursor of the next one. */
export interface Page<T> {
  data: T[]
  nextCursor: string | null
}

/** Makes a page of `limit + 1` rows that were read; the extra one only says that there is more. */
export function pageFrom<R, T>(
  rows: readonly R[],
  limit: number,
  resource: (row: R) => T,
  cursorOf: (row: R) => string,
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return { data: shown.map(resource), nextCursor: more ? cursorOf(last) : null }
}

/** Parts of a cursor that holds more than an id; refused when somebody wrote one by hand. */
export function readCursor(cursor: string, parts: number): string[] {
  const found = Buffer.from(cursor, 'base64url').toString().split('\u001f')
  if (found.length === parts && found.every(isStorable)) return found
  throw badCursor()
}

/** An instant in a cursor. */
export function readCursorInstant(text: string): Date {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw badCursor()
  return at
}

/** A whole number in a cursor. */
export function readCursorNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw badCursor()
}

const badCursor = () =>
  new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'query.cursor', message: 'must be the nextCursor of an earlier page' }],
  })

export const writeCursor = (...parts: string[]): string =>
  Buffer.from(parts.join('\u001f')).toString('base64url')
