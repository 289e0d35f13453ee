import type { ProviderLoad } from '@almanac/pipeline'
import { count, durationMs } from './retry-after.ts'

/**
 * What an answer's headers say of the provider's rate limits (`x-ratelimit-remaining-…` and
 * `x-ratelimit-reset-…`); undefined where they say nothing that can be read.
 */
export function providerLoad(headers: Headers): ProviderLoad | undefined {
  const [requests, tokens] = [loadOf(headers, 'requests'), loadOf(headers, 'tokens')]
  if (!requests && !tokens) return undefined
  return { ...(requests ? { requests } : {}), ...(tokens ? { tokens } : {}) }
}

function loadOf(headers: Headers, unit: keyof ProviderLoad): ProviderLoad['requests'] {
  const left = count(headers.get(`x-ratelimit-remaining-${unit}`))
  if (left === undefined) return undefined
  const resetMs = durationMs(headers.get(`x-ratelimit-reset-${unit}`))
  return { left, ...(resetMs === undefined ? {} : { resetMs }) }
}
