import type { CatalogueEntry, Industry, Lexicon } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { createMatcher, matchEvidence, type Matchable } from './match.ts'

const entry = (
  key: string,
  lexicon: Lexicon,
  more: Partial<CatalogueEntry> = {},
): CatalogueEntry => ({
  key,
  label: key,
  lexicon,
  ...more,
})

const industry = (links: CatalogueEntry[]): Industry => ({
  id: 'test',
  version: '1.0.0',
  title: 'Test',
  lookBackDays: 7,
  instruction: { id: 'test', version: '1.0.0', text: 'Test.' },
  deliverables: [entry('news', {}, { fallback: true })],
  regions: [entry('everywhere', {}, { fallback: true })],
  links,
})

const item = (title: string, more: Partial<Matchable> = {}): Matchable => ({
  title,
  text: '',
  attributes: {},
  withdrawn: false,
  ...more,
})

const linksOf = (links: CatalogueEntry[], matchable: Matchable) =>
  createMatcher(industry(links)).matches(matchable).links

const one = (lexicon: Lexicon, matchable: Matchable) =>
  linksOf([entry('it', lexicon)], matchable).length === 1

describe('terms', () => {
  it.each([
    ['Oil and gas', true],
    ['OIL AND GAS!', true],
    ['“oil-and-gas”', true],
    ['oil\nand\ngas', true],
    ['oil & gas', false],
    ['oil and gasoline', false],
    ['soil and gas', false],
  ])('%j is or is not the phrase', (title, expected) => {
    expect(one({ terms: ['oil and gas'] }, item(title))).toBe(expected)
  })

  it('are searched in title and text, title terms and hints in the title only', () => {
    const text = item('A title', { text: 'about coal' })
    expect(one({ terms: ['coal'] }, text)).toBe(true)
    expect(one({ titleTerms: ['coal'] }, text)).toBe(false)
    expect(one({ titleHints: ['coal'] }, text)).toBe(false)
    expect(one({ titleTerms: ['coal'] }, item('Coal'))).toBe(true)
    expect(one({ titleHints: ['coal'] }, item('Coal'))).toBe(true)
  })

  it('are found through accents, compatibility forms, entities and terminal codes', () => {
    expect(one({ terms: ['Türkiye'] }, item('TURKIYE'))).toBe(true)
    expect(one({ terms: ['co2 based'] }, item('CO₂-based'))).toBe(true)
    expect(one({ terms: ['r d'] }, item('R&amp;D'))).toBe(true)
    expect(one({ terms: ['coal'] }, item('\u001b[1mco\u00adal\u001b[0m'))).toBe(true)
  })
})

describe('notWithin', () => {
  const lexicon = { terms: ['virginia'], notWithin: ['west virginia', 'virginia key beach'] }

  it.each([
    ['West Virginia', false],
    ['Virginia and West Virginia', true],
    ['West Virginia and Virginia', true],
    ['West Virginia, West Virginia', false],
    ['Virginia Key', true],
    ['Virginia Key Beach', false],
    ['West Virginia Key Beach, Virginia', true],
  ])('%j', (title, expected) => {
    expect(one(lexicon, item(title))).toBe(expected)
  })

  it('shields its own entry only', () => {
    const west = entry('west', { terms: ['west'] })
    expect(linksOf([entry('it', lexicon), west], item('West Virginia'))).toEqual(['west'])
  })
})

describe('codes', () => {
  const alaska = { codes: ['AK'] }

  it.each([
    ['Emmonak, AK', true],
    ['Emmonak,AK; Correction', true],
    ['Between Emmonak, AK, and Sitka', true],
    ['Near (Emmonak), AK.', true],
    ['The Emmonak, WA-AK Area', true],
    ['Emmonak, ak', false],
    ['EMMONAK, AK', false],
    ['Emmonak AK', false],
    ['AK 907', false],
    [', AK', false],
    ['Emmonak, AKA Kwiguk', false],
    ['Americas LLC, AK-68 Dry Storage', false],
  ])('%j', (title, expected) => {
    expect(one(alaska, item(title))).toBe(expected)
  })

  it('count in the text, too', () => {
    expect(one(alaska, item('A title', { text: 'A site in Emmonak, AK.' }))).toBe(true)
  })
})

describe('attributes', () => {
  const faa = { attributes: { agency: ['FAA', 'NTSB'] } }

  it('are alternatives to terms, and exact', () => {
    const lexicon = { ...faa, terms: ['airspace'] }
    expect(one(lexicon, item('A rule', { attributes: { agency: 'FAA' } }))).toBe(true)
    expect(one(lexicon, item('Airspace', { attributes: { agency: 'EPA' } }))).toBe(true)
    expect(one(lexicon, item('A rule', { attributes: { agency: 'faa' } }))).toBe(false)
    expect(one(lexicon, item('A rule'))).toBe(false)
  })

  it('never are those of the language', () => {
    expect(one({ present: ['constructor'] }, item('A rule'))).toBe(false)
    expect(one({ present: ['toString'] }, item('A rule'))).toBe(false)
  })

  it('that are required must hold besides an alternative', () => {
    const lexicon = { terms: ['airspace'], requires: { documentType: ['Rule'] } }
    const rule = { attributes: { documentType: 'Rule' } }
    expect(one(lexicon, item('Airspace', rule))).toBe(true)
    expect(one(lexicon, item('Airspace'))).toBe(false)
    expect(one(lexicon, item('A rule', rule))).toBe(false)
  })

  it('that must be present must not be blank', () => {
    const lexicon = { present: ['commentEndDate'] }
    const withDate = (commentEndDate: string) => item('A rule', { attributes: { commentEndDate } })
    expect(one(lexicon, withDate('2022-02-18T04:59:59Z'))).toBe(true)
    expect(one(lexicon, withDate(' '))).toBe(false)
    expect(one(lexicon, item('A rule'))).toBe(false)
  })

  it('have withdrawn for every item, from the item or its attributes', () => {
    const taken = { requires: { withdrawn: ['true'] } }
    const kept = { requires: { withdrawn: ['false'] } }
    expect(one(kept, item('A rule'))).toBe(true)
    expect(one(taken, item('A rule'))).toBe(false)
    expect(one(taken, item('A rule', { withdrawn: true }))).toBe(true)
    expect(one(taken, item('A rule', { attributes: { withdrawn: 'true' } }))).toBe(true)
    expect(one(kept, item('A rule', { withdrawn: true, attributes: { withdrawn: 'false' } }))).toBe(
      false,
    )
  })
})

it('excludes by phrases of the title only', () => {
  const lexicon = { terms: ['royalties'], excludes: ['music'] }
  expect(one(lexicon, item('Royalties', { text: 'music' }))).toBe(true)
  expect(one(lexicon, item('Royalties for music'))).toBe(false)
})

it('gives an entry without conditions nothing', () => {
  expect(one({}, item('Anything', { attributes: { agency: 'FAA' } }))).toBe(false)
  expect(one({ terms: [] }, item('Anything'))).toBe(false)
})

describe('fallback', () => {
  const links = [entry('other', {}, { fallback: true }), entry('coal', { terms: ['coal'] })]

  it('is given when nothing else of the axis matches', () => {
    expect(linksOf(links, item('Coal'))).toEqual(['coal'])
    expect(linksOf(links, item('Peat'))).toEqual(['other'])
    expect(linksOf(links.slice(1), item('Peat'))).toEqual([])
  })
})

describe('within', () => {
  const links = [
    entry('asia', { terms: ['asia'] }),
    entry('china', { terms: ['china'] }, { within: 'asia' }),
    entry('ningbo', { terms: ['ningbo'] }, { within: 'china' }),
  ]

  it('gives the broader entries what a narrower one matches, in the catalogue’s order', () => {
    expect(linksOf(links, item('Ningbo'))).toEqual(['asia', 'china', 'ningbo'])
    expect(linksOf(links, item('China'))).toEqual(['asia', 'china'])
    expect(linksOf(links, item('Asia'))).toEqual(['asia'])
  })

  it('survives a circle', () => {
    const circle = [
      entry('a', { terms: ['a'] }, { within: 'b' }),
      entry('b', { terms: ['b'] }, { within: 'a' }),
    ]
    expect(linksOf(circle, item('a'))).toEqual(['a', 'b'])
  })
})

describe('matchEvidence', () => {
  const matcher = createMatcher(
    industry([entry('coal', { terms: ['coal'] }), entry('gas', { terms: ['gas'] })]),
  )
  const scope = { deliverables: ['news'], regions: ['everywhere'], links: ['gas', 'coal'] }

  it('is every cell of the scope, in the catalogue’s order', () => {
    expect(matchEvidence(matcher, scope, item('Gas and coal'))).toEqual([
      { deliverable: 'news', region: 'everywhere', link: 'coal' },
      { deliverable: 'news', region: 'everywhere', link: 'gas' },
    ])
  })

  it('is empty out of scope', () => {
    expect(matchEvidence(matcher, { ...scope, links: ['gas'] }, item('Coal'))).toEqual([])
    expect(matchEvidence(matcher, { ...scope, regions: ['nowhere'] }, item('Gas'))).toEqual([])
  })
})
