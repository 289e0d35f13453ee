import { AlmanacError, type TenantId } from '@almanac/domain'
import type { RateEnding, RateGate, RateRequest, RateTicket } from '../ports.ts'

/** What may be sent a minute; null: as much as there is. */
export interface RateLimits {
  requests: number | null
  tokens: number | null
}

/** The limits of a key, `provider:openai` or `tenant:ten_…`, with a bucket for each that is set. */
export interface KeyLimits extends RateLimits {
  key: string
}

/** A call with the limits that it counts in: at most one key of a provider and one of a tenant. */
export interface LimitedCall {
  tokens: number
  limits: readonly KeyLimits[]
}

export type BucketAnswer =
  | { granted: true; takenAt: number }
  /** `bucket` names the one in the way: `provider:openai tokens`. `retryAfterMs` null: it never fits. */
  | { granted: false; retryAfterMs: number | null; bucket: string }

/** How an ended call corrects its buckets. */
export interface BucketEnding {
  /** Requests and tokens to give back; negative where the call took more than it had reserved. */
  back: readonly [requests: number, tokens: number]
  pressure: 'served' | 'refused' | null
  /** How long the provider asks to be left alone. */
  closeMs: number | null
  /** What the provider says is left: requests, tokens. */
  left: readonly [requests: number | null, tokens: number | null]
}

/** The buckets themselves, in Redis or in Postgres: one conformance suite holds both. */
export interface RateBuckets {
  take(call: LimitedCall): Promise<BucketAnswer>
  end(call: LimitedCall & { takenAt: number }, ending: BucketEnding): Promise<void>
  /** Which of the keys have room for a call as the last one was. */
  room(limits: readonly KeyLimits[]): Promise<ReadonlySet<string>>
}

const providerKey = (provider: string): string => `provider:${provider}`
const tenantKey = (tenantId: TenantId): string => `tenant:${tenantId}`

export interface RateGateParts {
  buckets: RateBuckets
  /** The limits of a provider key, and of a tenant, as they are now. */
  ofProvider(provider: string): RateLimits
  ofTenant(tenantId: TenantId): RateLimits
  /** Waits so long here rather than having a run parked; see `sleep`. */
  patienceMs: number
  sleep(ms: number): Promise<void>
  /** Told when the buckets cannot be reached. */
  onError(error: unknown): void
}

/** Beyond this a provider's word closes the door of one run only: buckets count minutes. */
const longestCloseMs = 60_000
/** When the buckets do not answer nothing is sent. */
const unreachableMs = 2_000

const isLimited = ({ requests, tokens }: RateLimits): boolean =>
  requests !== null || tokens !== null

/**
 * The gate of the rate limits: what has no limit passes, what must wait less than `patienceMs` waits,
 * and when the buckets cannot be reached nothing passes.
 * `take` throws RATE_LIMIT_TOO_LOW for a call that no wait would let through.
 */
export function createRateGate(parts: RateGateParts): RateGate {
  const { buckets, ofProvider, ofTenant, patienceMs, sleep, onError } = parts

  const limitsOf = ({ provider, tenantId }: Pick<RateRequest, 'provider' | 'tenantId'>) =>
    [
      { key: providerKey(provider), ...ofProvider(provider) },
      { key: tenantKey(tenantId), ...ofTenant(tenantId) },
    ].filter(isLimited)
  const attempt = async (call: LimitedCall): Promise<BucketAnswer> => {
    try {
      return await buckets.take(call)
    } catch (error) {
      onError(error)
      return { granted: false, retryAfterMs: unreachableMs, bucket: 'the rate limits’ store' }
    }
  }

  return {
    async take(request) {
      let patienceLeftMs = patienceMs
      for (;;) {
        const call = { tokens: request.tokens, limits: limitsOf(request) }
        if (call.limits.length === 0) return { granted: true }
        const answer = await attempt(call)
        if (answer.granted)
          return { granted: true, ticket: { ...request, takenAt: answer.takenAt } }
        const { retryAfterMs, bucket } = answer
        if (retryAfterMs === null) throw tooLow(call, bucket)
        if (retryAfterMs > patienceLeftMs) return { granted: false, retryAfterMs }
        patienceLeftMs -= Math.max(1, retryAfterMs)
        await sleep(retryAfterMs)
      }
    },
    async end(ticket, ending) {
      const { tokens, takenAt } = ticket
      const call = { tokens, takenAt, limits: limitsOf(ticket) }
      if (call.limits.length > 0)
        await buckets.end(call, bucketEnding(ticket, ending)).catch(onError)
    },
    async room(provider, tenantIds) {
      const all = tenantIds.flatMap((tenantId) => limitsOf({ provider, tenantId }))
      const limits = new Map(all.map((one) => [one.key, one]))
      if (limits.size === 0) return new Set(tenantIds)
      const roomy = await buckets.room([...limits.values()])
      const hasRoom = (key: string) => !limits.has(key) || roomy.has(key)
      if (!hasRoom(providerKey(provider))) return new Set()
      return new Set(tenantIds.filter((tenantId) => hasRoom(tenantKey(tenantId))))
    },
  }
}

/** No limits: for engines that have no provider, and for tests of other things. */
export const unlimitedRates: RateGate = {
  take: () => Promise.resolve({ granted: true }),
  end: () => Promise.resolve(),
  room: (_provider, tenantIds) => Promise.resolve(new Set(tenantIds)),
}

function tooLow({ tokens, limits }: LimitedCall, bucket: string): AlmanacError {
  const limit = limits.find(({ key }) => bucket.startsWith(key))?.tokens ?? 0
  return new AlmanacError('RATE_LIMIT_TOO_LOW', { bucket, tokens, limit })
}

/** What the end of a call means for its buckets. */
export function bucketEnding({ tokens }: RateTicket, ending: RateEnding): BucketEnding {
  if (ending === 'unsent') return { back: [1, tokens], ...quiet }
  const { told } = ending
  const left = [told?.requests?.left ?? null, told?.tokens?.left ?? null] as const
  const resets = [told?.requests, told?.tokens].flatMap((one) =>
    one?.left === 0 && one.resetMs !== undefined ? [one.resetMs] : [],
  )
  const answer = (back: number, pressure: BucketEnding['pressure'], waits: number[] = []) => {
    const waitMs = Math.max(0, ...resets, ...waits)
    const closeMs = waitMs > 0 ? Math.min(waitMs, longestCloseMs) : null
    return { back: [0, back] as const, pressure, closeMs, left }
  }
  switch (ending.kind) {
    case 'completed':
    case 'truncated':
    case 'refused':
    case 'filtered':
      return answer(tokens - ending.usage.inputTokens - ending.usage.outputTokens, 'served')
    case 'not_billed': {
      // Want of flex capacity says nothing of the limits.
      if (ending.reason === 'flex_unavailable') return answer(tokens, null)
      const { retryAfterMs } = ending
      return answer(tokens, 'refused', retryAfterMs === undefined ? [] : [retryAfterMs])
    }
    // It may have been served: what was reserved stays taken.
    case 'unknown':
      return answer(0, 'refused')
    case 'billing_stop':
    case 'misconfigured':
      return answer(tokens, null)
  }
}

const quiet = { pressure: null, closeMs: null, left: [null, null] } as const
