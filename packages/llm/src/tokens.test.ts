import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { samplePackage } from './testing/sample-package.ts'
import { countTokens, tokensAtMost } from './tokens.ts'

describe('token counts', () => {
  it('are those of o200k_base', async () => {
    expect(await countTokens('')).toBe(0)
    expect(await countTokens('Hello, world!')).toBe(4)
  })

  it('take any text, special tokens and long runs included', async () => {
    expect(await countTokens('a <|endoftext|> b')).toBeGreaterThan(3)
    expect(await countTokens('x'.repeat(50_000))).toBeGreaterThan(1_000)
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
        expect(await countTokens(text)).toBeGreaterThanOrEqual(text === '' ? 0 : 1)
      }),
    )
  })

  it('of run packages stay below what is held for them', async () => {
    const words = [
      'Airworthiness',
      'Directives:',
      'Emission',
      'Standards',
      '2022-03-08',
      'für',
      '中国',
    ]
    const title = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(fc.array(title, { minLength: 1, maxLength: 30 }), async (titles) => {
        const items = titles.map((parts, i) => ({
          itemId: `FAA-2022-${i}`,
          publishedAt: '2022-03-08T05:00:00Z',
          title: parts.join(' '),
          attributes: { documentType: 'Rule', agency: 'FAA' },
        }))
        const text = JSON.stringify(samplePackage({ items }))
        expect(tokensAtMost(text)).toBeGreaterThan(await countTokens(text))
      }),
      { numRuns: 50 },
    )
  })
})
