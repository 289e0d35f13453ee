import type { Caller, OperatorCaller } from '@almanac/db'
import { AlmanacError, routes, type Issue, type Operation } from '@almanac/domain'
import type { Request, Response, Router } from 'express'
import type { Authenticator } from '../authenticate.ts'
import type { ApiParts } from '../parts.ts'
import { runChange } from './idempotent-change.ts'
import { hasBody, jsonBody, runMiddleware } from './json-body.ts'
import { readInput } from './read-input.ts'
import type { AnyAnswer, Answering, Asked, Change, Handlers } from './route-handler.ts'
import { sendAnswer } from './send-answer.ts'

/** Problems of a raw body that its schema cannot know, reported with those that it finds. */
export type FurtherIssues = Partial<Record<Operation, (body: unknown) => Issue[]>>

/**
 * Binds every route of the API contract to its handler. What each request goes through, in order:
 * authentication in the route's realm, tenant's state, scope, body, parsing of all parts, handler, answer.
 */
export function bindRoutes(
  router: Router,
  parts: ApiParts,
  authenticator: Authenticator,
  handlers: Handlers,
  furtherIssues: FurtherIssues = {},
): void {
  const readJson = jsonBody(parts.limits.jsonBytes)

  const receive = async (operation: Operation, request: Request, response: Response) => {
    const { method, takes } = routes[operation]
    if (method !== 'get' && takes !== 'ndjson') await runMiddleware(readJson, request, response)
    const input = read(operation, request, furtherIssues[operation])
    return { ...input, request, gone: AbortSignal.any([goneSignal(response), parts.closing]) }
  }
  const bindOperators = <O extends Operation>(operation: O, handler: OperatorHandler<O>): void => {
    const { method, path } = routes[operation]
    router[method](path, async (request: Request, response: Response) => {
      const caller = await authenticator.authenticateOperator(request)
      response.locals['operator'] = caller
      assertScope(operation, caller)
      const received = await receive(operation, request, response)
      const answer = await handler({ ...received, caller } as Asked<O, OperatorCaller>)
      await sendAnswer(operation, answer, response, parts.checkAnswers)
    })
  }
  const bind = <O extends Operation>(operation: O, handler: AnyHandler<O>): void => {
    const route = routes[operation]
    router[route.method](route.path, async (request: Request, response: Response) => {
      const caller = await authenticator.authenticate(request)
      response.locals['caller'] = caller
      const perform = async (): Promise<AnyAnswer> => {
        authorise(operation, caller)
        // They were parsed by the schemas of this operation.
        const asked = { ...(await receive(operation, request, response)), caller } as Asked<O>
        return isChange(handler) ? change(parts, operation, handler, asked) : handler(asked)
      }
      const answer = await perform().catch(async (error: unknown) => {
        if (isChange(handler)) await noteRefusal(operation, handler, caller, request, error)
        throw error
      })
      await sendAnswer(operation, answer, response, parts.checkAnswers)
    })
  }
  for (const operation of Object.keys(routes) as Operation[])
    // TypeScript does not see that they belong together; `Handlers` has made sure of it.
    if (routes[operation].realm === 'operator')
      bindOperators(operation, handlers[operation] as OperatorHandler<Operation>)
    else bind(operation, handlers[operation] as AnyHandler<Operation>)
}

type AnyHandler<O extends Operation> = Answering<O> | Change<O>
type OperatorHandler<O extends Operation> = Answering<O, OperatorCaller>

const isChange = <O extends Operation>(handler: AnyHandler<O>): handler is Change<O> =>
  typeof handler === 'object'

async function change<O extends Operation>(
  { db }: ApiParts,
  operation: O,
  handler: Change<O>,
  asked: Asked<O>,
): Promise<AnyAnswer> {
  const answer = await runChange(db, operation, handler, asked)
  return handler.afterwards ? handler.afterwards(asked, answer) : answer
}

/** Some refusals are recorded, of whatever the request did not get past. */
async function noteRefusal<O extends Operation>(
  operation: O,
  handler: Change<O>,
  caller: Caller,
  request: Request,
  error: unknown,
): Promise<void> {
  const params = routes[operation].params.safeParse(request.params)
  if (params.success)
    await handler.refused?.(
      { caller, params: params.data } as Pick<Asked<O>, 'caller' | 'params'>,
      error,
    )
}

/** A suspended tenant may look, and change nothing. Throws TENANT_SUSPENDED, SCOPE_MISSING. */
function authorise(operation: Operation, caller: Caller): void {
  if (caller.suspended && routes[operation].method !== 'get')
    throw new AlmanacError('TENANT_SUSPENDED', {})
  assertScope(operation, caller)
}

/** Throws SCOPE_MISSING. */
function assertScope(operation: Operation, { scopes }: { scopes: readonly string[] }): void {
  const { scope } = routes[operation]
  if (scope !== null && !scopes.includes(scope))
    throw new AlmanacError('SCOPE_MISSING', { needed: scope, has: scopes.join(', ') || 'none' })
}

function read(
  operation: Operation,
  request: Request,
  further: ((body: unknown) => Issue[]) | undefined,
): { params: unknown; query: unknown; body: unknown } {
  const route = routes[operation]
  const sent: unknown = hasBody(request) && route.takes !== 'ndjson' ? request.body : {}
  const [params, query, body] = readInput(
    [
      { within: 'path', schema: route.params, value: { ...request.params } },
      { within: 'query', schema: route.query, value: { ...request.query } },
      { within: '', schema: route.body, value: route.method === 'get' ? {} : (sent ?? {}) },
    ],
    further?.(sent),
  )
  return { params, query, body }
}

/** Aborts when the connection closes before the answer was sent. */
function goneSignal(response: Response): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
