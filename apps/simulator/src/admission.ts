import type { Usage } from './composing/reply.ts'
import { needsGeneration, type Fault } from './faults/fault.ts'
import { jsonOf, type Exchange } from './http/exchange.ts'
import type { LogEntry } from './request-log.ts'
import type { Simulation } from './simulation.ts'
import { apiErrors } from './wire/api-error.ts'

/** Reads and records a request's body. Throws ApiError for a key that is not let in. */
export async function receive(
  exchange: Exchange,
  simulation: Simulation,
): Promise<{ body: Buffer; entry: LogEntry }> {
  const { entry } = exchange
  if (!entry) throw new Error('only recorded requests are received')
  const body = await exchange.body()
  simulation.log.receive(entry, body)
  checkKey(exchange, simulation)
  return { body, entry }
}

/** The body of a recorded request as JSON; throws ApiError. */
export const json = (exchange: Exchange, body: Buffer): unknown =>
  jsonOf(body, exchange.contentType)

/** Throws ApiError (401) for a request without a key, or with one that is not let in. */
export function checkKey({ apiKey }: Exchange, { keys }: Simulation): void {
  if (apiKey === null) throw apiErrors.keyMissing()
  if (keys && !keys.has(apiKey)) throw apiErrors.keyWrong(shown(apiKey))
}

const shown = (key: string) => `${'*'.repeat(Math.max(0, key.length - 4))}${key.slice(-4)}`

export interface Load {
  body: Buffer
  model: string
  /** What the rate limit counts. */
  tokens: number
  generates: boolean
}

/** Takes a request from its key's rate limits, then says which fault it gets. Throws ApiError. */
export function admit(
  exchange: Exchange,
  { limiter, faults, settings }: Simulation,
  { body, model, tokens, generates }: Load,
): Fault | undefined {
  const { entry, apiKey, path, headers } = exchange
  Object.assign(headers, limiter.take(apiKey ?? '', model, tokens))
  const facts = {
    body,
    bodyHash: entry?.bodyHash ?? '',
    path,
    model,
    apiKey: apiKey ?? '',
    callKey: entry?.callKey ?? null,
    generates,
  }
  const fault = faults.choose(facts, settings.seed)
  if (entry) entry.fault = fault ?? null
  return fault
}

/**
 * Plays a fault that comes in place of an answer; false for any other. Throws ApiError for those that
 * are errors. `usage` is what a request costs that is billed all the same.
 */
export async function playInstead(
  exchange: Exchange,
  fault: Fault | undefined,
  model: string,
  usage: Usage,
): Promise<boolean> {
  const bill = (billed: boolean) => {
    if (exchange.entry && billed) exchange.entry.billed = usage
  }
  if (!fault || needsGeneration(fault)) return false
  switch (fault.name) {
    case 'rate_429': {
      const waitMs = fault.retryAfterSeconds === null ? null : fault.retryAfterSeconds * 1000
      const message = `Rate limit reached for ${model} in organization org-simulated on requests per min (RPM). Please try again later.`
      throw apiErrors.rateLimited(message, 'requests', waitMs)
    }
    case 'billing_429':
      throw apiErrors.billing(fault.code)
    case 'flex_unavailable_429':
      throw apiErrors.flexUnavailable()
    case 'server_500':
      throw apiErrors.serverError(exchange.requestId)
    case 'overloaded_503':
      throw apiErrors.overloaded(
        fault.retryAfterSeconds === null ? null : fault.retryAfterSeconds * 1000,
      )
    case 'unauthorized_401':
      throw apiErrors.keyWrong(shown(exchange.apiKey ?? ''))
    case 'model_404':
      throw apiErrors.modelUnknown(model)
    case 'hang':
      bill(fault.billed)
      await exchange.closed
      return true
    case 'reset_before_first_byte':
      bill(fault.billed)
      exchange.reset()
      return true
    case 'wrong_content_type':
      exchange.send(200, 'text/html; charset=utf-8', gatewayPage)
      return true
  }
}

const gatewayPage =
  '<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1><p>The origin did not answer as expected.</p></body></html>'
