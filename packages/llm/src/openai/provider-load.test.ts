import { describe, expect, it } from 'vitest'
import { providerLoad } from './provider-load.ts'

const load = (headers: Record<string, string>) => providerLoad(new Headers(headers))

describe('the load of a provider', () => {
  it('is what its headers say is left, and when it is all there again', () => {
    expect(
      load({
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-remaining-tokens': '149984',
        'x-ratelimit-reset-tokens': '6ms',
      }),
    ).toEqual({ requests: { left: 0, resetMs: 360_000 }, tokens: { left: 149_984, resetMs: 6 } })
    expect(load({ 'x-ratelimit-remaining-tokens': '12' })).toEqual({ tokens: { left: 12 } })
  })

  it('is not known where the headers say nothing that can be read', () => {
    expect(load({})).toBeUndefined()
    expect(load({ 'x-ratelimit-remaining-requests': '-1' })).toBeUndefined()
    expect(load({ 'x-ratelimit-remaining-requests': 'many' })).toBeUndefined()
  })
})
