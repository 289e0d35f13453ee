import { industry } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  findIndustry,
  findIndustryByHash,
  getIndustry,
  industries,
  industryHash,
  scopedCatalogue,
} from './registry.ts'

const usRegulation = getIndustry('us-regulation')

/** Run packages name these hashes for ever: what changes a catalogue or instruction is a new version. */
const published: Record<string, string> = {
  'us-regulation 1.0.0': 'da4f19fee97d4d38073c220edf8ee0b8684c6664771d662c6d81b37ea26f78c9',
  'polyurethane 1.0.0': 'a1f5381d777f7620b93c35b4540abe297d5fdc3f74b776a8e560fb6c5f4ec9c0',
}

describe('the registry', () => {
  it('has each version of an industry once', () => {
    const names = industries.map(({ id, version }) => `${id} ${version}`)
    expect(new Set(names).size).toBe(names.length)
  })

  it('keeps every published version as it was', () => {
    const hashes = industries.map((one) => [`${one.id} ${one.version}`, industryHash(one)])
    expect(Object.fromEntries(hashes)).toEqual(published)
  })

  it('finds by id and version', () => {
    expect(findIndustry('us-regulation')).toBe(usRegulation)
    expect(findIndustry('us-regulation', '1.0.0')).toBe(usRegulation)
    expect(findIndustry('us-regulation', '9.0.0')).toBeUndefined()
    expect(findIndustry('constructor')).toBeUndefined()
  })

  it('throws NOT_FOUND for what it has not', () => {
    expect(() => getIndustry('tea')).toThrow('There is no industry tea here.')
    expect(() => getIndustry('polyurethane', '0.1.0')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND' }),
    )
  })

  it('finds each industry by its hash, which survives a JSON round trip', () => {
    for (const one of industries) {
      expect(industryHash(industry.parse(JSON.parse(JSON.stringify(one))))).toBe(industryHash(one))
      expect(findIndustryByHash(industryHash(one))).toBe(one)
    }
    expect(findIndustryByHash('0'.repeat(64))).toBeUndefined()
  })
})

describe('scopedCatalogue', () => {
  const scope = {
    deliverables: ['comment-deadlines', 'final-rules'],
    regions: ['texas', 'national'],
    links: ['energy'],
  }

  it('holds the scope’s entries in its order, and names the whole by its hash', () => {
    const catalogue = scopedCatalogue(usRegulation, scope)
    expect(catalogue).toMatchObject({
      industry: 'us-regulation',
      version: '1.0.0',
      hash: industryHash(usRegulation),
    })
    expect(catalogue.deliverables.map(({ key }) => key)).toEqual(scope.deliverables)
    expect(catalogue.regions.map(({ label }) => label)).toEqual(['Texas', 'National'])
    expect(catalogue.links).toEqual(usRegulation.links.filter(({ key }) => key === 'energy'))
  })

  it('refuses unknown keys, all at once', () => {
    const wrong = { deliverables: ['gossip'], regions: ['texas'], links: ['energy', 'magic'] }
    expect(() => scopedCatalogue(usRegulation, wrong)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        params: {
          issues: [
            expect.objectContaining({ field: 'deliverables', value: '"gossip"' }),
            expect.objectContaining({ field: 'links', value: '"magic"' }),
          ],
        },
      }),
    )
  })
})
