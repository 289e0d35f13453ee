import { z } from 'zod'
import { AlmanacError, errorEntry, isErrorCode, type ErrorCode } from '../errors.ts'

/** An error as HTTP answers it: RFC 9457 with Almanac's code, remedy and parameters. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    remedy: z.string(),
    retryable: z.boolean(),
    requestId: z.string().optional(),
    params: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Problem', description: 'An error, by RFC 9457' })
export type Problem = z.output<typeof problem>

export const problemMediaType = 'application/problem+json'

/** The problem of an error; the status of a run's own error, which is 200 in the table, becomes 409. */
export function problemOf(error: AlmanacError, requestId?: string): Problem {
  const { code, params, message } = error
  const { status, title, remedy, retryable } = errorEntry(code)
  return {
    type: `/docs/errors#${code}`,
    title,
    status: status === 200 ? 409 : status,
    detail: message,
    code,
    remedy,
    retryable,
    ...(requestId ? { requestId } : {}),
    params: params as Record<string, unknown>,
  }
}

/** The error that a problem describes; an unknown code becomes INTERNAL, its detail kept as the cause. */
export function errorOf(value: Problem): AlmanacError {
  if (!isErrorCode(value.code)) return new AlmanacError('INTERNAL', {}, { cause: value })
  return new AlmanacError(value.code as ErrorCode, (value.params ?? {}) as never)
}
