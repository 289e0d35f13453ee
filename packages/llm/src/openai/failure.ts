import type { Outcome, Usage } from '@almanac/pipeline'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { retryAfterMs } from './retry-after.ts'

/** What answered does not speak the provider's wire. */
export class WrongContentType extends Error {
  override readonly name = 'WrongContentType'
  readonly contentType: string

  constructor(contentType: string) {
    super(`the answer is ${contentType}`)
    this.contentType = contentType
  }
}

/** What is known of a call when it fails. */
export interface FailedCall {
  flex: boolean
  /** Who served it, as far as was heard, else who was asked. */
  served: { model: string; tier: string }
  /** Whether any text of the answer was heard. */
  begun: boolean
  /** The usage of the input alone, counted here. */
  inputUsage: () => Promise<Usage>
}

/**
 * The outcome of a call that failed, by this table. In doubt the money stays held: `unknown`.
 *
 *   429                                        not_billed rate, with the time to wait if it is said
 *   429 of spending (a billing code or type)   billing_stop: waiting heals nothing
 *   429 for want of flex capacity              not_billed flex_unavailable
 *   402                                        billing_stop
 *   500, 502, 504, any other 5xx               unknown server_error: it may have begun
 *   503, 529                                   not_billed overloaded: it was turned away at the door
 *   408                                        unknown timeout
 *   400 of a content policy                    filtered: the input may be billed, so it is counted
 *   401, 403, 404, any other 4xx, 3xx          misconfigured
 *   200 of another content type                misconfigured: something else answers at this address
 *   no connection (refused, name, route)       not_billed overloaded: nothing was sent
 *   no connection (certificate)                misconfigured
 *   reset, before the first byte or later      unknown reset
 *   the stream ends without its last event     unknown reset
 *   an error inside the stream                 as its code says if nothing was heard, else unknown
 *   the SDK's own time-out                     unknown timeout
 */
export async function outcomeOfFailure(error: unknown, call: FailedCall): Promise<Outcome> {
  if (error instanceof WrongContentType)
    return { kind: 'misconfigured', status: 200, code: `content type ${error.contentType}` }
  if (error instanceof APIConnectionError) return unconnected(error)
  if (!(error instanceof APIError)) return { kind: 'unknown', reason: 'reset' }
  const { status } = error
  return status === undefined ? streamFailure(named(error)[0], call) : refusal(status, error, call)
}

/** What a provider calls an error: its code, then its type; some servers write numbers, or sentences. */
const named = ({ code, type }: APIError): string[] =>
  [code, type].filter((name): name is string => typeof name === 'string' && isName.test(name))

const isName = /^[\w.:-]{1,80}$/

/** The outcome of a failure that the provider tells inside an answer that had begun well. */
export async function streamFailure(code: string | undefined, call: FailedCall): Promise<Outcome> {
  if (isBilling(code)) return { kind: 'billing_stop', code: code ?? 'billing' }
  if (isPolicy(code)) return filtered(call, '')
  if (call.begun) return { kind: 'unknown', reason: 'server_error' }
  if (code === 'rate_limit_exceeded') return { kind: 'not_billed', reason: 'rate' }
  if (code === 'server_is_overloaded' || code === 'server_overloaded')
    return { kind: 'not_billed', reason: 'overloaded' }
  return { kind: 'unknown', reason: 'server_error' }
}

const filtered = async (
  { served, inputUsage }: FailedCall,
  requestId: string,
): Promise<Outcome> => ({ kind: 'filtered', usage: await inputUsage(), served, requestId })

async function refusal(status: number, error: APIError, call: FailedCall): Promise<Outcome> {
  const wait = retryAfterMs(error.headers ?? new Headers())
  const waiting = wait === undefined ? {} : { retryAfterMs: wait }
  const names = named(error)
  const [code] = names
  if (status === 402) return { kind: 'billing_stop', code: code ?? 'payment_required' }
  if (status === 429) {
    if (names.some(isBilling)) return { kind: 'billing_stop', code: code ?? 'billing' }
    const isFlex = call.flex && (code === 'resource_unavailable' || code === 'flex_unavailable')
    return { kind: 'not_billed', reason: isFlex ? 'flex_unavailable' : 'rate', ...waiting }
  }
  if (status === 503 || status === 529)
    return { kind: 'not_billed', reason: 'overloaded', ...waiting }
  if (status === 408) return { kind: 'unknown', reason: 'timeout' }
  if (status >= 500) return { kind: 'unknown', reason: 'server_error' }
  if (status === 400 && isPolicy(code)) return filtered(call, error.requestID ?? '')
  return { kind: 'misconfigured', status, code: code ?? `status ${status}` }
}

/** Codes and types that say that the account, not the moment, is the trouble. */
const isBilling = (code: string | undefined): boolean =>
  code !== undefined &&
  (/^(?:insufficient_quota|credit_balance_exhausted|billing_not_active|billing_hard_limit_reached)$/.test(
    code,
  ) ||
    /(?:^|_)(?:spend|usage)_limit_(?:exceeded|reached)$/.test(code))

/** Codes by which a provider refuses a prompt for what it says. */
const isPolicy = (code: string | undefined): boolean =>
  code !== undefined && /^(?:content_filter|invalid_prompt|.*_policy(?:_violation)?)$/.test(code)

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const certificate = /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/

function unconnected(error: APIConnectionError): Outcome {
  const codes = codesOf(error.cause)
  if (codes.some((code) => neverSent.has(code))) return { kind: 'not_billed', reason: 'overloaded' }
  const bad = codes.find((code) => certificate.test(code))
  if (bad) return { kind: 'misconfigured', status: 0, code: bad }
  return {
    kind: 'unknown',
    reason: error instanceof APIConnectionTimeoutError ? 'timeout' : 'reset',
  }
}

/** The codes of an error and of what caused it: fetch wraps the socket's error, at times twice. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return []
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : []
  const inner = error instanceof AggregateError ? error.errors : []
  return [...own, ...[error.cause, ...inner].flatMap((cause) => codesOf(cause, depth + 1))]
}
