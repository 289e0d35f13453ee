import { AlmanacError } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openAiPrices } from './price-rows.ts'
import { costOf, findPrice, parsePriceRows, priceAt, type PriceRow } from './prices.ts'

const row: PriceRow = {
  model: 'test-1',
  tier: 'standard',
  from: '2026-01-01T00:00:00Z',
  until: '2026-07-01T00:00:00Z',
  input: 1_250_000,
  cachedInput: 125_000,
  output: 10_000_000,
}
const later: PriceRow = { ...row, from: '2026-07-01T00:00:00Z', until: null, output: 8_000_000 }
const usage = { inputTokens: 1_000, cachedInputTokens: 400, outputTokens: 101, estimated: false }

const at = (instant: string) => new Date(instant)
const issuesOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (error instanceof AlmanacError) return { code: error.code, sentence: error.message }
    throw error
  }
  return undefined
}

describe('a price', () => {
  it('is that of the instant', () => {
    const rows = parsePriceRows([row, later])
    // 600 × 1.25 + 400 × 0.125 + 101 × 10, then × 8, in micro-USD.
    expect(priceAt(rows, 'test-1', 'standard', at('2026-06-30T23:59:59.999Z'), usage)).toBe(1_810)
    expect(priceAt(rows, 'test-1', 'standard', at('2026-07-01T00:00:00Z'), usage)).toBe(1_608)
  })

  it('is rounded up once, to the micro-USD', () => {
    const tiny = { ...row, input: 1, cachedInput: 1, output: 1 }
    const one = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false }
    expect(costOf(tiny, one)).toBe(1)
    expect(costOf(tiny, { ...one, inputTokens: 0, outputTokens: 0 })).toBe(0)
  })

  it('of a dated snapshot is that of its model, unless it has its own', () => {
    const when = at('2026-08-01T00:00:00Z')
    expect(findPrice([later], 'test-1-2026-03-05', 'standard', when)).toBe(later)
    const own = { ...later, model: 'test-1-2026-03-05' }
    expect(findPrice([later, own], 'test-1-2026-03-05', 'standard', when)).toBe(own)
    expect(findPrice([later], 'test-1-mini', 'standard', when)).toBeUndefined()
  })

  it.each([
    ['an unknown model', 'test-2', 'standard', '2026-02-01T00:00:00Z'],
    ['an unknown tier of it', 'test-1', 'flex', '2026-02-01T00:00:00Z'],
    ['a time before its rows', 'test-1', 'standard', '2025-12-31T23:59:59Z'],
  ] as const)('of %s is refused', (_, model, tier, instant) => {
    const refused = issuesOf(() => priceAt([row], model, tier, at(instant), usage))
    expect(refused?.code).toBe('INPUT_INVALID')
    expect(refused?.sentence).toContain(`has no price in the tier ${tier}`)
  })

  it('never falls with more tokens, and is exact beyond 2^53', () => {
    const tokens = fc.integer({ min: 0, max: 10_000_000 })
    const price = fc.integer({ min: 0, max: 1_000_000_000 })
    fc.assert(
      fc.property(
        tokens,
        tokens,
        tokens,
        price,
        price,
        (inputTokens, outputTokens, more, input, output) => {
          const priced = { ...row, input, output }
          const used = { inputTokens, outputTokens, cachedInputTokens: 0, estimated: false }
          const cost = costOf(priced, used)
          const exact = BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output)
          expect(BigInt(cost) * 1_000_000n - exact).toBeGreaterThanOrEqual(0n)
          expect(BigInt(cost) * 1_000_000n - exact).toBeLessThan(1_000_000n)
          expect(
            costOf(priced, { ...used, outputTokens: outputTokens + more }),
          ).toBeGreaterThanOrEqual(cost)
        },
      ),
    )
  })
})

describe('price rows', () => {
  it('are refused where they overlap, all at once', () => {
    const rows = [row, { ...row, until: null }, { ...later, from: '2026-06-30T00:00:00Z' }]
    expect(issuesOf(() => parsePriceRows(rows))?.sentence).toMatch(
      /prices\.1: must not overlap.*prices\.2: must not overlap.*prices\.2: must not overlap/,
    )
    expect(parsePriceRows([row, { ...row, tier: 'flex' }, { ...row, model: 'b' }])).toHaveLength(3)
  })

  it('are refused where a field is wrong', () => {
    const wrong = [
      { ...row, until: row.from },
      { ...row, input: 0.5 },
      { ...row, from: 'May' },
    ]
    expect(issuesOf(() => parsePriceRows(wrong))?.sentence).toMatch(
      /prices\.0\.until: must end after.*prices\.1\.input.*prices\.2\.from/,
    )
  })

  it('of OpenAI are valid, in whole micro-USD, and halve in batch', () => {
    const rows = parsePriceRows([...openAiPrices])
    const when = at('2026-11-21T00:00:00Z')
    for (const { model } of rows.filter(({ tier }) => tier === 'standard')) {
      const million = {
        inputTokens: 1_000_000,
        cachedInputTokens: 0,
        outputTokens: 1_000_000,
        estimated: false,
      }
      const standard = priceAt(rows, model, 'standard', when, million)
      expect(priceAt(rows, model, 'batch', when, million)).toBe(standard / 2)
    }
    const sent = { inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0, estimated: false }
    expect(priceAt(rows, 'gpt-5.4-2026-03-05', 'standard', when, sent)).toBe(2_500_000)
  })
})
