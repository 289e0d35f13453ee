import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { words } from './folding.ts'

describe('words', () => {
  it.each([
    ['Türkiye’s “MDI” prices', ['turkiye', 's', 'mdi', 'prices']],
    ['CO₂-based ﬁbre', ['co2', 'based', 'fibre']],
    ['D.C.;D.C', ['d', 'c', 'd', 'c']],
    ['STRASSE Straße', ['strasse', 'strasse']],
    ['ΟΔΟΣ οδος', ['οδοσ', 'οδοσ']],
    ['İstanbul', ['istanbul']],
    ['… — !', []],
    ['', []],
  ])('of %j', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it('are the same whatever the case', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })),
        (text) => {
          expect(words(text.toUpperCase())).toEqual(words(text))
          expect(words(text.toLowerCase())).toEqual(words(text))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
