import { newId } from '@almanac/domain/ids'
import type { RequestHandler, Response } from 'express'

const header = 'Request-Id'

/** Names every request by an id of ours, in a header and, where there is one, in its problem. */
export const requestId: RequestHandler = (_request, response, next) => {
  response.setHeader(header, newId('request'))
  next()
}

export const requestIdOf = (response: Response): string => String(response.getHeader(header))
