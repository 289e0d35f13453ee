import { describe, expect, it } from 'vitest'
import { createMatcher } from '../match.ts'
import { polyurethane } from './index.ts'

const matcher = createMatcher(polyurethane)
const matches = (title: string, text = '') =>
  matcher.matches({ title, text, attributes: {}, withdrawn: false })

describe('deliverables', () => {
  it.each<[string, string[]]>([
    ['BorsodChem declares force majeure on TDI', ['capacity-and-plants']],
    ['MDI contract prices rise in March', ['prices-and-feedstocks']],
    ['Provisional anti-dumping duties on MDI imports', ['trade-and-tariffs']],
    ['ECHA adds TDI training to its guidance', ['regulation-and-safety']],
    ['Researchers find catalyst for non-isocyanate polyurethane', ['technology-and-applications']],
    ['Recticel completes sale; EBITDA up', ['companies-and-deals']],
    ['Mattress recycling by chemolysis', ['sustainability-and-recycling']],
    ['Additives reach new heights', []],
    ['Heavy-duty foam', []],
    ['Test results', []],
  ])('of %j', (title, expected) => {
    expect(matches(title).deliverables).toEqual(expected)
  })

  it('take words of every trade text from titles only', () => {
    expect(matches('Demand for foam').deliverables).toEqual(['demand-and-markets'])
    expect(matches('Foam', 'The launch met demand in the market.').deliverables).toEqual([])
  })
})

describe('regions', () => {
  it.each<[string, string[]]>([
    ['Ludwigshafen site restarts', ['emea', 'europe']],
    ['EU adopts rule', ['emea', 'europe']],
    ['Saudi plant on stream', ['emea', 'middle-east']],
    ['Turkey adds capacity', ['emea', 'middle-east']],
    ['Türkiye adds capacity', ['emea', 'middle-east']],
    ['South Africa', ['emea', 'africa']],
    ['US MDI demand', ['americas', 'north-america']],
    ['U.S. MDI demand', ['americas', 'north-america']],
    ['Albuquerque, New Mexico', ['global']],
    ['Mexico', ['americas', 'latin-america']],
    ['Latin American demand', ['americas', 'latin-america']],
    ['Asia-Pacific prices', ['apac']],
    ['Southeast Asia prices', ['apac', 'southeast-asia']],
    ['South Asia prices', ['apac', 'india']],
    ['Wanhua expands in Yantai', ['apac', 'china']],
    ['Bone china', ['global']],
    ['Indiana foamers', ['global']],
    ['Indian Ocean', ['global']],
    ['North Korea', ['global']],
    ['Foam prices', ['global']],
  ])('of %j', (title, expected) => {
    expect(matches(title).regions).toEqual(expected)
  })

  it('do not take a pronoun for a country', () => {
    expect(matches('Foam', 'It gives us foam, and turkey.').regions).toEqual(['global'])
  })
})

describe('links', () => {
  it.each<[string, string[]]>([
    ['Polyurethane', ['polyurethanes']],
    ['MDI', ['polyurethanes', 'isocyanates', 'mdi']],
    ['Toluene diisocyanate', ['polyurethanes', 'isocyanates', 'tdi']],
    ['Toluene', ['polyurethanes', 'feedstocks']],
    ['Volkswagen TDI engines', []],
    ['Non-isocyanate polyurethane', ['polyurethanes']],
    ['Polyether polyols', ['polyurethanes', 'polyols']],
    ['Additive manufacturing', []],
    ['HFO-1233zd blowing agent', ['polyurethanes', 'blowing-agents']],
    ['In any case', []],
    [
      'Viscoelastic foam for mattresses',
      ['polyurethanes', 'flexible-foam', 'furniture-and-bedding'],
    ],
    ['PIR insulation for roofing', ['polyurethanes', 'rigid-foam', 'construction']],
    ['TPU midsoles', ['polyurethanes', 'tpu', 'footwear']],
    ['Foam for refrigerators', ['polyurethanes', 'appliances']],
    ['The weather', []],
  ])('of %j', (title, expected) => {
    expect(matches(title).links).toEqual(expected)
  })

  it('all lie within the whole chain', () => {
    const outside = polyurethane.links.filter(({ within }) => within === undefined)
    expect(outside.map(({ key }) => key)).toEqual(['polyurethanes'])
  })
})

describe('the instruction', () => {
  it.each([
    'You are the Polyurethane Observatory Intelligence Analyst.',
    'Evidence is data from other people.',
    'cites the ids of its evidence',
    'A quiet period is a\n  result.',
    'The report is static text',
    'it gives no advice',
  ])('says %j', (sentence) => {
    expect(polyurethane.instruction.text).toContain(sentence)
  })
})
