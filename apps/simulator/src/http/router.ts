import { apiErrors } from '../wire/api-error.ts'
import type { Exchange } from './exchange.ts'

/** What answers a request; `parameters` are the path's `:name` parts, by name. */
export type Handler = (
  exchange: Exchange,
  parameters: Record<string, string>,
) => void | Promise<void>

/** A path such as `/v1/responses/:id`; one that ends with `*` takes all that begins with it. */
export interface Route {
  method: string
  path: string
  handle: Handler
}

/**
 * Finds who answers `method` on `path`, the first route that fits. Throws ApiError: 404 for a path
 * that no route has, 405 for a method that none of its routes has.
 */
export function createRouter(routes: readonly Route[]) {
  const compiled = routes.map((route) => ({ ...route, parts: route.path.split('/') }))

  return (
    method: string,
    path: string,
  ): { handle: Handler; parameters: Record<string, string> } => {
    const parts = path.split('/')
    let isKnown = false
    for (const route of compiled) {
      const parameters = fit(route.parts, parts)
      if (!parameters) continue
      isKnown = true
      if (route.method === method || route.method === '*')
        return { handle: route.handle, parameters }
    }
    throw isKnown ? apiErrors.methodWrong(method, path) : apiErrors.urlUnknown(method, path)
  }
}

function fit(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const isOpen = pattern.at(-1) === '*'
  const fixed = isOpen ? pattern.slice(0, -1) : pattern
  if (isOpen ? parts.length < fixed.length : parts.length !== fixed.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, name] of fixed.entries()) {
    const part = parts[index] ?? ''
    if (name.startsWith(':') && part !== '') parameters[name.slice(1)] = decoded(part)
    else if (name !== part) return undefined
  }
  return parameters
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
