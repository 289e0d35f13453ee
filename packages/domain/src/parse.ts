import type { z } from 'zod'
import { AlmanacError, type Issue } from './errors.ts'
import { issueWording } from './issue-wording.ts'

const shownCharacters = 80

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

/** Parses `input`, or throws INPUT_INVALID with every problem at once, and with `further` ones. */
export function parse<S extends z.ZodType>(
  schema: S,
  input: unknown,
  within = '',
  further: readonly Issue[] = [],
): z.output<S> {
  const result = schema.safeParse(input, { error: issueWording })
  if (result.success && further.length === 0) return result.data
  const own = result.success ? [] : issuesOf(result.error, input, within)
  throw new AlmanacError('INPUT_INVALID', { issues: [...own, ...further] })
}
