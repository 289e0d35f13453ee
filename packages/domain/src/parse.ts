import type { z } from 'zod'
import { AlmanacError, type Issue } from './errors.ts'

const show = (value: unknown): string | undefined => {
  if (value === undefined) return undefined
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

const at = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  )

/** All problems of a zod error as issues for people: field, message, what was found. */
export function issuesOf(error: z.ZodError, input: unknown, within = ''): Issue[] {
  return error.issues.map((issue) => {
    const path = [within, ...issue.path.map(String)].filter(Boolean).join('.')
    const value = show(at(input, issue.path))
    return {
      field: path || 'body',
      message: issue.message,
      ...(value === undefined ? {} : { value }),
    }
  })
}

/** Parses `input`, or throws INPUT_INVALID with every problem at once. */
export function parse<S extends z.ZodType>(schema: S, input: unknown, within = ''): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new AlmanacError('INPUT_INVALID', { issues: issuesOf(result.error, input, within) })
}
