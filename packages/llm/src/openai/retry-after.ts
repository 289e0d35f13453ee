const duration = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/

/**
 * How long a provider asks to wait, in milliseconds; undefined when it does not say. Read from
 * `retry-after-ms`, from `retry-after` in seconds or as a date (against the response's own date), else
 * from the time until a used-up rate limit is reset. Not capped: an hour is an hour.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const ms = count(headers.get('retry-after-ms'))
  if (ms !== undefined) return ms
  const after = headers.get('retry-after')
  const seconds = count(after)
  if (seconds !== undefined) return Math.ceil(seconds * 1_000)
  if (after !== null) {
    const wait = Date.parse(after) - Date.parse(headers.get('date') ?? '')
    return Number.isNaN(wait) ? undefined : Math.max(0, wait)
  }
  const resets = ['requests', 'tokens'].flatMap((what) =>
    headers.get(`x-ratelimit-remaining-${what}`) === '0'
      ? (durationMs(headers.get(`x-ratelimit-reset-${what}`)) ?? [])
      : [],
  )
  return resets.length > 0 ? Math.max(...resets) : undefined
}

/** A number that is not negative, as headers write it. */
export function count(value: string | null): number | undefined {
  const text = value?.trim() ?? ''
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
}

/** `6m0s`, `1s`, `120ms` as OpenAI writes them. */
export function durationMs(value: string | null): number | undefined {
  const match = value ? duration.exec(value.trim()) : null
  if (!match) return undefined
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  return Math.ceil(((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms)
}
