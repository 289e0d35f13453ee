import { AlmanacError, type Issue } from '@almanac/domain'
import type { z } from 'zod'
import { issueWording } from './issue-wording.ts'
import { storableIssues } from './storable.ts'

/** The most problems that one answer names. */
const mostIssues = 100
const shownCharacters = 80

/** One part of a request: what it is called in problems, what it holds, what it must be. */
export interface InputPart {
  /** `query` makes fields such as `query.limit`; the body's fields have no prefix. */
  within: 'path' | 'query' | ''
  schema: z.ZodType
  value: unknown
}

/**
 * Parses all parts of a request, in order. Throws INPUT_INVALID with the problems of all of them,
 * and with `further` ones, at once.
 */
export function readInput(parts: readonly InputPart[], further: readonly Issue[] = []): unknown[] {
  const issues: Issue[] = []
  const values: unknown[] = []
  for (const { within, schema, value } of parts) {
    const unstorable = storableIssues(value, within)
    issues.push(...unstorable)
    // What is nested too deeply is not looked at any further: a schema would recurse into it.
    if (unstorable.length > 0) continue
    const result = schema.safeParse(value, { error: issueWording })
    if (result.success) values.push(result.data)
    else issues.push(...issuesOf(result.error, value, within))
  }
  issues.push(...further)
  if (issues.length === 0) return values
  throw new AlmanacError('INPUT_INVALID', { issues: issues.slice(0, mostIssues) })
}

/** A zod error as issues: one a field, an unknown field under its own name. */
export function issuesOf(error: z.ZodError, input: unknown, within = ''): Issue[] {
  return error.issues.flatMap((issue) => {
    const paths =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path]
    return paths.map((path) => issueAt(path, issue.message, input, within))
  })
}

function issueAt(
  path: readonly PropertyKey[],
  message: string,
  input: unknown,
  within: string,
): Issue {
  const field = [within, ...path.map(String)].filter(Boolean).join('.')
  const found = shown(valueAt(input, path))
  return { field: field || 'body', message, ...(found === undefined ? {} : { value: found }) }
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? Reflect.get(inner, key)
        : undefined,
    value,
  )

function shown(value: unknown): string | undefined {
  const text = JSON.stringify(value)
  if (text === undefined || text.length <= shownCharacters) return text
  return `${text.slice(0, shownCharacters - 1).toWellFormed()}…`
}
