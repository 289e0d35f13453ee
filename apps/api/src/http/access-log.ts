import type { Caller, OperatorCaller } from '@almanac/db'
import type { RequestHandler, Response } from 'express'
import type { ApiLog } from '../parts.ts'
import { requestIdOf } from './request-id.ts'

/** One line a request: who asked what, how it ended, how long it took. No query, no body, no key. */
export const accessLog =
  (log: ApiLog): RequestHandler =>
  (request, response, next) => {
    const begun = performance.now()
    response.once('close', () => {
      const line = {
        requestId: requestIdOf(response),
        method: request.method,
        route: routeOf(request.route),
        status: response.statusCode,
        durationMs: Math.round(performance.now() - begun),
        ...callerOf(response),
        ...(response.writableFinished ? {} : { aborted: true }),
      }
      if (request.method === 'GET') log.debug(line, 'answered')
      else log.info(line, 'answered')
    })
    next()
  }

/** The route's pattern, never the address itself: it may hold what a caller typed. */
function routeOf(route: unknown): string {
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'unknown'
  return typeof route.path === 'string' ? route.path : 'unknown'
}

function callerOf({ locals }: Response): { tenantId?: string; operatorId?: string } {
  const caller = locals['caller'] as Caller | undefined
  const operator = locals['operator'] as OperatorCaller | undefined
  return {
    ...(caller && { tenantId: caller.tenantId }),
    ...(operator && { operatorId: operator.operatorId }),
  }
}
