import { describe, expect, it } from 'vitest'
import { entitlement, unentitled } from './entitlement.ts'
import { AlmanacError } from './errors.ts'
import { parse } from './parse.ts'
import { limitsOf, specification, type SpecificationInput } from './specification.ts'

const report: SpecificationInput = {
  kind: 'report',
  name: 'US rules weekly',
  title: 'US regulation weekly',
  cadence: 'weekly',
  timeZone: 'America/New_York',
  industry: 'us-regulation',
  deliverables: ['final-rules'],
  regions: ['national'],
  links: ['aviation'],
  sources: ['federal-register'],
}

const problems = (input: unknown): string[] => {
  try {
    parse(specification, input)
    return []
  } catch (error) {
    if (!(error instanceof AlmanacError) || error.code !== 'INPUT_INVALID') throw error
    return (error.params as { issues: { field: string }[] }).issues.map(({ field }) => field)
  }
}

describe('a specification', () => {
  it('fills what is left out', () => {
    const parsed = parse(specification, report)
    expect(parsed).toMatchObject({
      coverage: 'closed',
      schedule: 'automatic',
      lane: 'interactive',
      budget: { microUsd: 500_000, tokens: 80_000 },
      metadata: {},
    })
  })

  it('names every problem at once', () => {
    const bad = {
      ...report,
      name: ' ',
      cadence: 'hourly',
      timeZone: 'Mars/Olympus',
      deliverables: [],
      regions: ['national', 'national'],
      budget: { microUsd: 0.5 },
      surprise: 1,
    }
    expect(problems(bad)).toEqual(
      expect.arrayContaining([
        'name',
        'cadence',
        'timeZone',
        'deliverables',
        'regions',
        'budget.microUsd',
        'surprise',
      ]),
    )
  })

  it.each(['a\u0000b', 'a\nb', '\u001b[31mred', 'a\u202eb', '\ud800'])(
    'refuses the title %j',
    (title) => {
      expect(problems({ ...report, title })).toEqual(['title'])
    },
  )

  it('expands phases above a complexity from 5 to 1,000, and none unless told', () => {
    const refined = (more: object) => ({
      ...report,
      refinement: { enabled: true, termination: [{ type: 'depth_reached', depth: 1 }], ...more },
    })
    for (const expandAbove of [4, 1_001, 5.5, '20', null])
      expect(problems(refined({ expandAbove }))).toEqual(['refinement.expandAbove'])
    for (const expandAbove of [5, 1_000]) expect(problems(refined({ expandAbove }))).toEqual([])
    expect(parse(specification, refined({})).refinement).not.toHaveProperty('expandAbove')
    const told = parse(specification, refined({ expandAbove: 20 }))
    expect(limitsOf(told)).toEqual(limitsOf(parse(specification, refined({}))))
  })

  it('refuses an unknown kind with the kinds that there are', () => {
    expect(() => parse(specification, { ...report, kind: 'poem' })).toThrow(
      /kind.*report.*workflow|workflow.*report/,
    )
  })
})

describe('an entitlement', () => {
  const bought = parse(entitlement, {
    industries: {
      'us-regulation': { deliverables: ['final-rules'], regions: '*', links: ['energy'] },
    },
    fastestCadence: 'weekly',
    activeSpecifications: 1,
    onDemandRunsPerMonth: 1,
  })

  it('names everything that was not bought', () => {
    const wanted = parse(specification, { ...report, cadence: 'daily' })
    expect(unentitled(wanted, bought)).toEqual([
      { field: 'cadence', value: 'daily', allowed: 'weekly or slower' },
      { field: 'links', value: 'aviation', allowed: 'energy' },
    ])
  })

  it('covers what was bought, and slower cadences', () => {
    expect(
      unentitled(
        parse(specification, { ...report, links: ['energy'], cadence: 'monthly' }),
        bought,
      ),
    ).toEqual([])
  })

  it('covers no industry and no kind that was not bought', () => {
    expect(
      unentitled(parse(specification, { ...report, industry: 'polyurethane' }), bought),
    ).toEqual([{ field: 'industry', value: 'polyurethane', allowed: 'us-regulation' }])
    const {
      industry: _i,
      deliverables: _d,
      regions: _r,
      links: _l,
      sources: _s,
      ...common
    } = report as Record<string, unknown>
    const workflow = parse(specification, {
      ...common,
      kind: 'workflow',
      purpose: 'p',
      audience: 'a',
      style: 's',
    })
    expect(unentitled(workflow, bought)).toEqual([
      { field: 'kind', value: 'workflow', allowed: 'report only' },
    ])
  })
})
