import { AlmanacError } from '@almanac/domain'

/**
 * The revision that a change starts from: `"7"`, as the ETag has it.
 * Throws PRECONDITION_REQUIRED without the header, INPUT_INVALID for anything that is no revision.
 */
export function readIfMatch(value: string | undefined): number {
  if (value === undefined) throw new AlmanacError('PRECONDITION_REQUIRED', {})
  const [, revision] = /^"([1-9]\d{0,8})"$/.exec(value.trim()) ?? []
  if (revision !== undefined) return Number(revision)
  const message = 'must be one revision in quotes, such as "7"'
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'header.if-match', message, value: JSON.stringify(value).slice(0, 80) }],
  })
}
