import { AlmanacError, routes } from '@almanac/domain'
import type { RequestHandler, Router } from 'express'

/** For every address of the contract: the methods that it does not take are 405, not 404. */
export function refuseOtherMethods(router: Router): void {
  for (const [path, methods] of methodsByPath()) {
    const allowed = methods.join(', ')
    router.all(path, (request, response) => {
      if (request.method !== 'OPTIONS')
        throw new AlmanacError('METHOD_NOT_ALLOWED', { method: request.method, allowed })
      response.setHeader('allow', allowed)
      response.status(204).end()
    })
  }
}

function methodsByPath(): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  for (const { path, method } of Object.values(routes)) {
    const known = methods.get(path) ?? []
    known.push(method.toUpperCase())
    if (method === 'get') known.push('HEAD')
    methods.set(path, known)
  }
  return methods
}

/** Everything else. The address is not repeated: it is the caller's text. */
export const refuseUnknown: RequestHandler = () => {
  throw new AlmanacError('NOT_FOUND', { what: 'such address' })
}
