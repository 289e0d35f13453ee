import { z } from 'zod'
import { apiErrors } from './wire/api-error.ts'

/** What one key may send; the defaults are beyond what one machine can send. */
export const limits = z.strictObject({
  requestsPerMinute: z.number().positive().default(10_000_000),
  tokensPerMinute: z.number().positive().default(10_000_000_000),
})
export type Limits = z.output<typeof limits>

interface Bucket {
  level: number
  at: number
}

export interface RateLimiter {
  /**
   * Takes one request of `tokens` from the key's buckets and returns the headers that tell what is
   * left. Throws ApiError (429, with Retry-After) when either bucket does not hold enough.
   */
  take: (key: string, model: string, tokens: number) => Record<string, string>
  setLimits: (limits: Limits) => void
}

/** Creates token buckets that fill up evenly over a minute, two a key. */
export function createRateLimiter(initial: Limits, now: () => number): RateLimiter {
  let current = initial
  let buckets = new Map<string, { requests: Bucket; tokens: Bucket }>()

  return {
    setLimits(given) {
      current = given
      buckets = new Map()
    },
    take(key, model, tokens) {
      const time = now()
      const { requestsPerMinute, tokensPerMinute } = current
      const own = buckets.get(key) ?? {
        requests: { level: requestsPerMinute, at: time },
        tokens: { level: tokensPerMinute, at: time },
      }
      buckets.set(key, own)
      fill(own.requests, requestsPerMinute, time)
      fill(own.tokens, tokensPerMinute, time)
      const isEnough = own.requests.level >= 1 && own.tokens.level >= tokens
      if (isEnough) {
        own.requests.level -= 1
        own.tokens.level -= tokens
      }
      const headers = {
        ...headersOf('requests', own.requests, requestsPerMinute),
        ...headersOf('tokens', own.tokens, tokensPerMinute),
      }
      if (isEnough) return headers
      const error =
        own.requests.level < 1
          ? refusal('requests', 'requests per min (RPM)', model, requestsPerMinute, own.requests, 1)
          : refusal('tokens', 'tokens per min (TPM)', model, tokensPerMinute, own.tokens, tokens)
      Object.assign(error.headers, headers)
      throw error
    },
  }
}

const minute = 60_000

function fill(bucket: Bucket, limit: number, time: number): void {
  bucket.level = Math.min(limit, bucket.level + ((time - bucket.at) / minute) * limit)
  bucket.at = time
}

const headersOf = (kind: 'requests' | 'tokens', { level }: Bucket, limit: number) => ({
  [`x-ratelimit-limit-${kind}`]: String(limit),
  [`x-ratelimit-remaining-${kind}`]: String(Math.floor(level)),
  [`x-ratelimit-reset-${kind}`]: duration(((limit - level) / limit) * minute),
})

function refusal(
  type: 'requests' | 'tokens',
  what: string,
  model: string,
  limit: number,
  { level }: Bucket,
  wanted: number,
) {
  const where = `for ${model} in organization org-simulated on ${what}: Limit ${limit}`
  if (wanted > limit)
    return apiErrors.rateLimited(`Request too large ${where}, Requested ${wanted}.`, type, null)
  const waitMs = ((wanted - level) / limit) * minute
  const used = Math.ceil(limit - level)
  return apiErrors.rateLimited(
    `Rate limit reached ${where}, Used ${used}, Requested ${wanted}. Please try again in ${duration(waitMs)}.`,
    type,
    waitMs,
  )
}

/** A time as the provider's headers tell it: `644ms`, `9.816s`, `6m0s`, `1h2m3s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  if (ms < minute) return `${Number((Math.ceil(ms) / 1000).toFixed(3))}s`
  const seconds = Math.ceil(ms / 1000)
  const hours = Math.floor(seconds / 3600)
  return `${hours > 0 ? `${hours}h` : ''}${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`
}
