import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testTenant } from '../../../test/support/postgres.ts'
import { examples } from './docs/examples.ts'
import { testApi } from './testing/test-api.ts'

/** What a specification may ask of its refinement: everything else is refused before any cost. */

const { call, refused, db, superuser } = await testApi()
const { key, tenantId } = await testTenant(db)
const body = examples.createSpecification?.body

// Roomy, so that a value meets only the bound that it is about.
const roomy = {
  budget: { microUsd: 1_000_000_000, tokens: 10_000_000 },
  refinement: {
    enabled: true,
    maxDepth: 3,
    maxChildren: 12,
    variants: 1,
    termination: [{ type: 'target_score', score: 0.9 }] as unknown,
  },
}
const asked = (refinement: object, budget: object = {}) => ({
  key,
  json: {
    ...body,
    budget: { ...roomy.budget, ...budget },
    refinement: { ...roomy.refinement, ...refinement },
  },
})
const issuesOf = (params: unknown) =>
  z.object({ issues: z.array(z.object({ field: z.string(), message: z.string() })) }).parse(params)
    .issues

/** What there is of a tenant's specifications, runs and money. */
const rows = async () =>
  (
    await superuser(
      `select (select count(*)::int from specifications where tenant_id = $1) as specifications,
        (select count(*)::int from specification_revisions where tenant_id = $1) as revisions,
        (select count(*)::int from runs where tenant_id = $1) as runs,
        (select count(*)::int from engine_calls where tenant_id = $1) as calls,
        (select count(*)::int from budgets where tenant_id = $1) as budgets`,
      [tenantId],
    )
  )[0]

const refusedWith = async (sent: ReturnType<typeof asked>) => {
  const before = await rows()
  const { params } = await refused('POST', '/v1/specifications', sent, 'INPUT_INVALID')
  expect(await rows()).toEqual(before)
  return issuesOf(params)
}
const taken = async (sent: ReturnType<typeof asked>) =>
  expect((await call('POST', '/v1/specifications', sent)).status).toBe(201)

describe('a limit of a refinement', () => {
  it.each([
    ['maxDepth', 0, 1, 10, 11],
    ['maxChildren', 0, 1, 100, 101],
    ['microUsd', -1, 0, 1_000_000_000, 1_000_000_001],
    ['tokens', 0, 1, 10_000_000, 10_000_001],
    ['checkpointRatio', 0.09, 0.1, 0.8, 0.81],
    ['decay', -0.01, 0, 0.5, 0.51],
    ['variants', 0, 1, 12, 13],
    ['checkpointExpiryMinutes', 0, 1, 10_080, 10_081],
  ])(
    '%s is taken up to its bounds, and past them named with its range',
    async (name, ...values) => {
      const [below, low, high, above] = values
      for (const value of [low, high]) await taken(asked({ [name]: value }))
      for (const value of [below, above]) {
        const field = `refinement.${name}`
        const message = expect.stringContaining(`from ${low} to ${high}`) as string
        expect(await refusedWith(asked({ [name]: value }))).toEqual([{ field, message }])
      }
    },
  )

  it.each([
    ['microUsd', 5_000],
    ['tokens', 5_000],
  ] as const)('%s is part of what the run may cost', async (unit, budget) => {
    for (const value of [budget - 1, budget])
      await taken(asked({ [unit]: value }, { [unit]: budget }))
    const issues = await refusedWith(asked({ [unit]: budget + 1 }, { [unit]: budget }))
    expect(issues).toEqual([
      {
        field: `refinement.${unit}`,
        message: `must be at most budget.${unit}, which is ${budget}: a refinement is part of its run`,
      },
    ])
  })

  it('lets a generation fit among all children', async () => {
    await taken(asked({ variants: 3, maxChildren: 3 }))
    const [issue] = await refusedWith(asked({ variants: 4, maxChildren: 3 }))
    expect(issue).toMatchObject({
      field: 'refinement.variants',
      message: 'must be at most maxChildren, which is 3: no generation would fit',
    })
  })
})

describe('what ends a refinement', () => {
  it.each([
    ['missing', undefined, 'is missing'],
    ['nothing', null, 'must be a list'],
    ['no list', { type: 'target_score', score: 0.9 }, 'must be a list'],
    ['an empty list', [], 'must have at least 1 entry'],
  ])('is refused when it is %s', async (_, termination, message) => {
    expect(await refusedWith(asked({ termination }))).toEqual([
      { field: 'refinement.termination', message: expect.stringContaining(message) as string },
    ])
  })

  it.each([
    ['depth_reached', 'depth', [1, 3], [0, 4], '1 to maxDepth, which is 3'],
    [
      'cost_ceiling',
      'microUsd',
      [1, 1_000_000_000],
      [0, 1_000_000_001],
      '1 to the root budget of 1000000000 micro-USD',
    ],
    [
      'cost_ceiling',
      'tokens',
      [1, 10_000_000],
      [0, 10_000_001],
      '1 to the root budget of 10000000 tokens',
    ],
    ['quality_plateau', 'patience', [1, 3], [0, 4], '1 to maxDepth, which is 3'],
    ['quality_plateau', 'epsilon', [0, 0.99], [-0.01, 1], '0 or more, and less than 1'],
    ['target_score', 'score', [0.01, 1], [0, 1.01], 'more than 0, at most 1'],
  ] as const)('by %s is refused where its %s can never come true', async (...row) => {
    const [type, name, possible, impossible, allowed] = row
    const others = type === 'quality_plateau' ? { epsilon: 0.1, patience: 1 } : {}
    const condition = (value: number) => ({ termination: [{ type, ...others, [name]: value }] })
    for (const value of possible) await taken(asked(condition(value)))
    for (const value of impossible)
      expect(await refusedWith(asked(condition(value)))).toEqual([
        {
          field: 'refinement.termination.0',
          message: `can never come true: ${type}.${name} must be ${allowed}`,
        },
      ])
  })

  it('is refused when it is a ceiling of nothing, or of no kind that there is', async () => {
    const [none] = await refusedWith(asked({ termination: [{ type: 'cost_ceiling' }] }))
    expect(none?.message).toContain('microUsd, tokens or both')
    const [other] = await refusedWith(asked({ termination: [{ type: 'until_it_is_good' }] }))
    expect(other).toMatchObject({ field: 'refinement.termination.0.type' })
    expect(other?.message).toContain('target_score')
  })

  it('is refused in every place that is wrong, and in no other', async () => {
    const termination = [
      { type: 'depth_reached', depth: 4 },
      { type: 'target_score', score: 0.9 },
      { type: 'quality_plateau', epsilon: 2, patience: 9 },
    ]
    const issues = await refusedWith(asked({ termination }))
    expect(issues.map(({ field }) => field)).toEqual([
      'refinement.termination.0',
      'refinement.termination.2',
    ])
  })
})
