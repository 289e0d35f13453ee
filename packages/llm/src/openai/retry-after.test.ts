import { describe, expect, it } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

describe('the time to wait', () => {
  it.each([
    [{}, undefined],
    [{ 'retry-after': '1' }, 1_000],
    [{ 'retry-after': '61' }, 61_000],
    [{ 'retry-after': '3600' }, 3_600_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [
      { 'retry-after': 'Sat, 21 Nov 2026 10:01:00 GMT', date: 'Sat, 21 Nov 2026 10:00:00 GMT' },
      60_000,
    ],
    [{ 'retry-after': 'Sat, 21 Nov 2026 10:01:00 GMT' }, undefined],
    [{ 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT', date: 'Sat, 21 Nov 2026 10:00:00 GMT' }, 0],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    [
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '120ms',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '1h2m3.5s',
      },
      3_723_500,
    ],
    [{ 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': '6m0s' }, undefined],
  ])('%j', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers))).toBe(expected)
  })
})
