import { AlmanacError } from '@almanac/domain'
import { json, type Request, type RequestHandler, type Response } from 'express'

const allowed = ['application/json', 'application/merge-patch+json']

/** Reads JSON bodies of up to `limitBytes`; another media type is refused when there is a body. */
export function jsonBody(limitBytes: number): RequestHandler {
  const read = json({ limit: limitBytes, strict: false, type: allowed })
  return (request, response, next) => {
    if (!hasBody(request)) return next()
    if (!request.is(allowed)) throw unsupported(request, 'application/json')
    read(request, response, next)
  }
}

/** Runs a middleware inside an async handler: rejects with what it passes on. */
export const runMiddleware = (
  middleware: RequestHandler,
  request: Request,
  response: Response,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const next = (error?: unknown) =>
      error === undefined
        ? resolve()
        : reject(error instanceof Error ? error : new Error(String(error)))
    void middleware(request, response, next)
  })

/** Whether the request has a body that is not known to be empty. */
export const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** The error for a body of a type that is not read here. */
export const unsupported = (request: Request, mediaType: string): AlmanacError =>
  new AlmanacError('MEDIA_TYPE_UNSUPPORTED', {
    found: JSON.stringify(request.headers['content-type'] ?? '').slice(0, 120),
    allowed: mediaType,
  })
