import type { CatalogueEntry, Industry } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMatcher, type Matchable } from './match.ts'
import { industries } from './registry.ts'
import { createScopeScanner } from './scope-scanner.ts'

const item = (title: string, text = ''): Matchable => ({
  title,
  text,
  attributes: {},
  withdrawn: false,
})

/** Codes are the one thing whose case and comma count: the laws below are those of phrases. */
const withoutCodes = (entry: CatalogueEntry): CatalogueEntry => ({
  ...entry,
  lexicon: { ...entry.lexicon, codes: [] },
})
const phrasesOnly = (industry: Industry): Industry => ({
  ...industry,
  regions: industry.regions.map(withoutCodes),
})

const phrasesOf = (industry: Industry) =>
  [...industry.deliverables, ...industry.regions, ...industry.links].flatMap(({ lexicon }) => [
    ...(lexicon.terms ?? []),
    ...(lexicon.titleTerms ?? []),
    ...(lexicon.titleHints ?? []),
    ...(lexicon.notWithin ?? []),
  ])

const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }))
  .map((units) => String.fromCharCode(...units))
const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), anyUnits)
const punctuation = fc.stringMatching(/^[ .,;:!?()[\]"'“”‘’–—…*\n-]{1,4}$/)

describe.each(industries.map((industry) => [industry.id, industry] as const))(
  '%s',
  (_id, industry) => {
    const { matches } = createMatcher(industry)
    const ofPhrases = createMatcher(phrasesOnly(industry)).matches
    const spoken = fc.array(
      fc.oneof(fc.constantFrom(...phrasesOf(industry)), fc.lorem({ maxCount: 2 })),
      {
        maxLength: 6,
      },
    )

    it('matches any text at all without throwing, to keys of its own', () => {
      const keys = new Set(
        [...industry.deliverables, ...industry.regions, ...industry.links].map(({ key }) => key),
      )
      const scanner = createScopeScanner(industry, {
        deliverables: industry.deliverables.slice(0, 1).map(({ key }) => key),
        regions: industry.regions.slice(0, 1).map(({ key }) => key),
        links: industry.links.slice(0, 1).map(({ key }) => key),
      })
      const attributes = fc.dictionary(
        fc.oneof(fc.constantFrom('agency', 'withdrawn', '__proto__'), fc.string()),
        anyText,
      )
      fc.assert(
        fc.property(anyText, anyText, attributes, fc.boolean(), (title, text, given, withdrawn) => {
          const found = matches({ title, text, attributes: given, withdrawn })
          for (const key of Object.values(found).flat()) expect(keys).toContain(key)
          for (const hit of scanner.scan(text)) expect(keys).toContain(hit.key)
        }),
        { numRuns: 500 },
      )
    })

    it('matches phrases whatever their case', () => {
      fc.assert(
        fc.property(spoken, anyText, (phrases, noise) => {
          const title = [...phrases, noise].join(' ')
          const expected = ofPhrases(item(title))
          expect(ofPhrases(item(title.toUpperCase()))).toEqual(expected)
          expect(ofPhrases(item(title.toLowerCase()))).toEqual(expected)
        }),
        { numRuns: 500 },
      )
    })

    it('matches phrases whatever punctuation stands around and between words', () => {
      fc.assert(
        fc.property(spoken, punctuation, punctuation, (phrases, between, around) => {
          const title = phrases.join(' ')
          const dressed = around + title.split(/[^\p{L}\p{N}\p{M}]+/u).join(between) + around
          expect(ofPhrases(item(dressed))).toEqual(ofPhrases(item(title)))
          expect(ofPhrases(item('', dressed))).toEqual(ofPhrases(item('', title)))
        }),
        { numRuns: 500 },
      )
    })

    it('finds every term of every entry', () => {
      for (const axis of ['deliverables', 'regions', 'links'] as const)
        for (const { key, lexicon } of industry[axis])
          for (const term of [
            ...(lexicon.terms ?? []),
            ...(lexicon.titleTerms ?? []),
            ...(lexicon.titleHints ?? []),
            ...(lexicon.codes ?? []).map((code) => `Somewhere, ${code}`),
          ])
            expect(matches(item(term))[axis], term).toContain(key)
    })
  },
)
