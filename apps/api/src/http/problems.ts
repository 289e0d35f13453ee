import { AlmanacError, isAlmanacError, problemMediaType, problemOf } from '@almanac/domain'
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { ApiLog } from '../parts.ts'
import { withoutAddress } from './without-address.ts'
import { bodyBrokeOff, bodyErrorOf } from './body-error.ts'
import { requestIdOf } from './request-id.ts'

/** The one place where an error becomes an answer. */
export const answerProblems =
  (log: ApiLog): ErrorRequestHandler =>
  // Express knows an error handler by its four parameters.
  (thrown: unknown, request, response, _next) => {
    const error = brokeOff(request) ? bodyBrokeOff(thrown) : errorOf(thrown)
    const { status } = problemOf(error)
    const requestId = requestIdOf(response)
    if (status >= 500)
      log.error({ requestId, method: request.method, code: error.code, err: thrown }, 'failed')
    if (response.headersSent) {
      // Half an answer cannot be mended; the caller must see that it broke off.
      response.destroy()
      return
    }
    sendProblem(error, response)
  }

/** Answers a problem, with the headers that its code asks for. */
export function sendProblem(error: AlmanacError, response: Response): void {
  const shown = withoutAddress(error)
  const problem = problemOf(shown, requestIdOf(response))
  for (const name of ['etag', 'location', 'content-disposition']) response.removeHeader(name)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('content-type', problemMediaType)
  for (const [name, value] of Object.entries(headersOf(shown, problem.status)))
    response.setHeader(name, value)
  response.status(problem.status).end(JSON.stringify(problem))
}

function headersOf(error: AlmanacError, status: number): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="almanac"' }
  if (isAlmanacError(error, 'RATE_LIMITED'))
    return { 'retry-after': String(error.params.retryAfterSeconds) }
  if (isAlmanacError(error, 'METHOD_NOT_ALLOWED')) return { allow: error.params.allowed }
  const soon = status === 503 || error.code === 'IDEMPOTENCY_IN_PROGRESS'
  return soon ? { 'retry-after': '1' } : {}
}

/** The caller hung up in the middle of the body: nobody will read the answer. */
const brokeOff = (request: Request): boolean => request.destroyed && !request.complete

function errorOf(thrown: unknown): AlmanacError {
  if (isAlmanacError(thrown)) return thrown
  // An address whose %-escapes are broken names nothing.
  if (thrown instanceof URIError) return new AlmanacError('NOT_FOUND', { what: 'such address' })
  return bodyErrorOf(thrown) ?? new AlmanacError('INTERNAL', {}, { cause: thrown })
}
