import type { CatalogueEntry, Industry } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { checkIndustry } from './check.ts'
import { industries } from './registry.ts'

const entry = (key: string, more: Partial<CatalogueEntry> = {}): CatalogueEntry => ({
  key,
  label: key,
  lexicon: { terms: [key] },
  ...more,
})

const industry = (links: CatalogueEntry[]): Industry => ({
  id: 'test',
  version: '1.0.0',
  title: 'Test',
  lookBackDays: 7,
  instruction: { id: 'test', version: '1.0.0', text: 'Test.' },
  deliverables: [entry('news')],
  regions: [entry('everywhere', { fallback: true, lexicon: {} })],
  links,
})

const problems = (...links: CatalogueEntry[]) => {
  const result = checkIndustry(industry(links))
  return result.ok ? [] : result.problems
}

describe('checkIndustry', () => {
  it.each(industries.map((one) => [one.id, one] as const))('finds nothing in %s', (_id, one) => {
    expect(checkIndustry(one)).toEqual({ ok: true, industry: one })
  })

  it('names what a wrong shape is about, all at once', () => {
    expect(checkIndustry(null)).toMatchObject({ ok: false })
    expect(
      checkIndustry({
        ...industry([{ ...entry('a'), lexicon: { terms: [''] } }]),
        version: 'one',
        lookBackDays: 0,
      }),
    ).toEqual({
      ok: false,
      problems: [
        expect.stringMatching(/^version: must be a version/),
        expect.stringMatching(/^lookBackDays: /),
        expect.stringMatching(/^links\.0\.lexicon\.terms\.0: /),
      ],
    })
  })

  it.each<[string, CatalogueEntry[], string[]]>([
    [
      'a key twice',
      [entry('a'), entry('a', { lexicon: { terms: ['b'] } })],
      ['links.a: the key is used twice on this axis'],
    ],
    [
      'several fallbacks',
      [entry('a', { fallback: true }), entry('b', { fallback: true })],
      ['links.b: is a second fallback, besides a'],
    ],
    [
      'an entry without condition',
      [entry('a', { lexicon: {} }), entry('b', { lexicon: { terms: [], excludes: ['c'] } })],
      [
        'links.a: can never match: it states no condition and is no fallback',
        'links.b: can never match: it states no condition and is no fallback',
      ],
    ],
    [
      'an entry that excludes itself',
      [entry('a', { lexicon: { titleTerms: ['big dog', 'dog'], excludes: ['Dog'] } })],
      ['links.a: can never match: excludes rules out every title term'],
    ],
    [
      'a term without letters',
      [entry('a', { lexicon: { terms: ['a', ' – '] } })],
      ['links.a: terms has " – ", which holds no letter or digit'],
    ],
    [
      'the same term in two entries',
      [
        entry('a', { lexicon: { terms: ['Café bar'] } }),
        entry('b', { lexicon: { titleHints: ['cafe-BAR'] } }),
      ],
      ['links.b: has the term "cafe-BAR", and so has a'],
    ],
    [
      'the same code in two entries',
      [entry('a', { lexicon: { codes: ['AK'] } }), entry('b', { lexicon: { codes: ['AK'] } })],
      ['links.b: has the term "AK", and so has a'],
    ],
    [
      'a term twice in one entry',
      [entry('a', { lexicon: { terms: ['x'], titleTerms: ['X'] } })],
      ['links.a: has the term "X" twice'],
    ],
    [
      'a shield that is a term, and one that shields nothing',
      [entry('a', { lexicon: { terms: ['virginia'], notWithin: ['Virginia', 'Ohio River'] } })],
      [
        'links.a: notWithin has "Virginia", which is itself a term here',
        'links.a: notWithin has "Ohio River", which holds none of the terms',
      ],
    ],
    [
      'attributes that nothing satisfies',
      [
        entry('a', {
          lexicon: { requires: { kind: [], withdrawn: ['yes'] }, attributes: { x: ['1', '1'] } },
        }),
      ],
      [
        'links.a: attributes.x has "1" twice',
        'links.a: requires.kind allows no value',
        'links.a: requires.withdrawn can only be "true" or "false"',
      ],
    ],
    [
      'an unknown broader entry',
      [entry('a', { within: 'z' })],
      ['links.a: is within z, which this axis does not have'],
    ],
    [
      'a broader fallback',
      [entry('a', { within: 'z' }), entry('z', { fallback: true })],
      ['links.a: is within z, which is the fallback'],
    ],
    [
      'a fallback within another',
      [entry('a'), entry('z', { fallback: true, within: 'a' })],
      ['links.z: is the fallback, and so cannot be within another'],
    ],
    [
      'a circle',
      [entry('a', { within: 'b' }), entry('b', { within: 'a' }), entry('c', { within: 'c' })],
      [
        'links.a: is within itself, by way of b',
        'links.b: is within itself, by way of a',
        'links.c: is within itself, by way of c',
      ],
    ],
  ])('finds %s', (_what, links, expected) => {
    expect(problems(...links)).toEqual(expected)
  })

  it('allows a term on two axes, and an entry that only holds others', () => {
    expect(
      problems(
        entry('news'),
        entry('whole', { lexicon: {} }),
        entry('part', { within: 'whole' }),
        entry('inner', { within: 'part' }),
      ),
    ).toEqual([])
  })
})
