import { isStorable, type Issue } from '@almanac/domain'

/** How deep a body may nest; what needs more is made to make a parser recurse. */
const deepest = 64

/**
 * What no schema should have to think of: texts that Postgres and JSON cannot hold, and values that
 * are nested without end. Walks without recursion.
 */
export function storableIssues(value: unknown, within: string): Issue[] {
  const issues: Issue[] = []
  const todo: { value: unknown; path: string[] }[] = [{ value, path: within ? [within] : [] }]
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { value: inner, path } = next
    const field = path.join('.') || 'body'
    if (typeof inner === 'string') {
      if (!isStorable(inner)) issues.push({ field, message: unstorable })
      continue
    }
    if (typeof inner !== 'object' || inner === null) continue
    if (path.length > deepest)
      return [
        { field: within || 'body', message: `must not nest more than ${deepest} levels deep` },
      ]
    for (const [key, entry] of Object.entries(inner)) {
      if (!isStorable(key)) issues.push({ field, message: `has a name that ${unstorable}` })
      else todo.push({ value: entry, path: [...path, key] })
    }
  }
  return issues
}

const unstorable = 'must not hold NUL characters or halves of surrogate pairs'
