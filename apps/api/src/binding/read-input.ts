import { AlmanacError, issuesOf, issueWording, type Issue } from '@almanac/domain'
import type { z } from 'zod'
import { storableIssues } from './storable.ts'

/** The most problems that one answer names. */
const mostIssues = 100

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
