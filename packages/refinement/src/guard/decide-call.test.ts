import { refinementLimits } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideCall, type CallDecision } from './decide-call.ts'
import { createChildCall, limitsHash } from './snapshot.ts'
import { sampleCall, sampleLineage, wideLimits } from './testing/sample-lineage.ts'

const outcome = (decision: CallDecision): string =>
  decision.kind === 'refused'
    ? decision.refusal.code
    : decision.kind === 'checkpoint'
      ? `checkpoint: ${decision.needed.reached.map(({ limit }) => limit).join()}`
      : 'granted'

const amounts = (microUsd: number, tokens: number) => ({ microUsd, tokens })

describe('a limit, one below, at, and one above it', () => {
  // Below and at the limit a decision is needed, which is above 80 %; above it none helps.
  it.each([
    [2, 'checkpoint: depth'],
    [3, 'DEPTH_EXCEEDED'],
    [1, 'granted'],
  ])('depth: from depth %i of 3', (depth, expected) => {
    const lineage = sampleLineage({ depth })
    expect(outcome(decideCall(lineage, wideLimits({ maxDepth: 3 }), sampleCall()))).toBe(expected)
  })

  it.each([
    [8, 'checkpoint: children'],
    [9, 'checkpoint: children'],
    [10, 'CHILDREN_EXCEEDED'],
  ])('children: %i and 3 more of 12', (childrenGenerated, expected) => {
    const lineage = sampleLineage({ childrenGenerated })
    expect(outcome(decideCall(lineage, wideLimits({ maxChildren: 12 }), sampleCall()))).toBe(
      expected,
    )
  })

  it.each([
    [999, 'checkpoint: tokens'],
    [1_000, 'checkpoint: tokens'],
    [1_001, 'TOKENS_EXCEEDED'],
  ])('tokens: %i of 1,000, spent, held and wanted together', (after, expected) => {
    const lineage = sampleLineage({ spent: amounts(0, 200), held: amounts(0, 300) })
    const call = sampleCall({ estimate: amounts(0, after - 500) })
    expect(outcome(decideCall(lineage, wideLimits({ tokens: 1_000 }), call))).toBe(expected)
  })

  it.each([
    [999, 'checkpoint: microUsd'],
    [1_000, 'checkpoint: microUsd'],
    [1_001, 'COST_EXCEEDED'],
  ])('cost: %i of 1,000 micro-USD, spent, held and wanted together', (after, expected) => {
    const lineage = sampleLineage({ spent: amounts(200, 0), held: amounts(300, 0) })
    const call = sampleCall({ estimate: amounts(after - 500, 0) })
    expect(outcome(decideCall(lineage, wideLimits({ microUsd: 1_000 }), call))).toBe(expected)
  })

  it.each([
    [499, 'granted'],
    [500, 'granted'],
    [501, 'CEILING_EXCEEDED'],
  ])('a cost ceiling of 500: a call that makes %i', (after, expected) => {
    const call = sampleCall({
      estimate: amounts(after, 0),
      termination: [{ type: 'cost_ceiling', microUsd: 500 }],
    })
    expect(outcome(decideCall(sampleLineage(), wideLimits(), call))).toBe(expected)
  })

  it.each([
    ['2026-11-21T10:00:00.001Z', 'granted'],
    ['2026-11-21T10:00:00.000Z', 'DEADLINE_PASSED'],
    ['2026-11-21T09:59:59.999Z', 'DEADLINE_PASSED'],
  ])('the deadline %s, at ten', (deadlineAt, expected) => {
    expect(outcome(decideCall(sampleLineage({ deadlineAt }), wideLimits(), sampleCall()))).toBe(
      expected,
    )
  })
})

describe('80 % of a limit, one below, at, and one above it', () => {
  it.each([
    [6, 'granted'],
    [7, 'checkpoint: depth'],
    [8, 'checkpoint: depth'],
  ])('depth: from depth %i of 10', (depth, expected) => {
    expect(outcome(decideCall(sampleLineage({ depth }), wideLimits(), sampleCall()))).toBe(expected)
  })

  it.each([
    [76, 'granted'],
    [77, 'checkpoint: children'],
    [78, 'checkpoint: children'],
  ])('children: %i and 3 more of 100', (childrenGenerated, expected) => {
    const lineage = sampleLineage({ childrenGenerated })
    expect(outcome(decideCall(lineage, wideLimits(), sampleCall()))).toBe(expected)
  })

  it.each([
    ['tokens', 799, 'granted'],
    ['tokens', 800, 'checkpoint: tokens'],
    ['tokens', 801, 'checkpoint: tokens'],
    ['microUsd', 799, 'granted'],
    ['microUsd', 800, 'checkpoint: microUsd'],
    ['microUsd', 801, 'checkpoint: microUsd'],
  ] as const)('%s: %i of 1,000', (unit, after, expected) => {
    const call = sampleCall({ estimate: { ...amounts(0, 0), [unit]: after } })
    expect(outcome(decideCall(sampleLineage(), wideLimits({ [unit]: 1_000 }), call))).toBe(expected)
  })

  it('is exact where a product of floating-point numbers is not', () => {
    // 0.7 × 10 is 7.000000000000001 in binary: seven of ten would be let through.
    const limits = wideLimits({ checkpointRatio: 0.7 })
    expect(outcome(decideCall(sampleLineage({ depth: 6 }), limits, sampleCall()))).toBe(
      'checkpoint: depth',
    )
  })

  it('of nothing is not reached by using nothing', () => {
    const call = sampleCall({ estimate: amounts(0, 10) })
    expect(outcome(decideCall(sampleLineage(), wideLimits({ microUsd: 0 }), call))).toBe('granted')
  })
})

describe('a decision', () => {
  const limits = wideLimits({ maxDepth: 3 })
  const lineage = sampleLineage({ depth: 2 })
  const asked = decideCall(lineage, limits, sampleCall())
  if (asked.kind !== 'checkpoint') throw new Error(asked.kind)
  const { snapshotHash } = asked.needed
  const approved = {
    id: 'chk',
    decision: 'approved',
    limitsHash: limitsHash(limits),
    snapshotHash,
    used: false,
  } as const
  const with_ = (checkpoint: object, call: object = sampleCall(), under = limits) =>
    outcome(decideCall({ ...lineage, checkpoint: { ...approved, ...checkpoint } }, under, call))

  it('allows exactly the call that was asked for, whenever it is made', () => {
    expect(with_({})).toBe('granted')
    const later = { ...lineage, checkpoint: approved, now: '2026-11-22T00:00:00.000Z' }
    expect(outcome(decideCall(later, limits, sampleCall()))).toBe('granted')
  })

  it('does not cover another call, other limits, or a second use', () => {
    expect(with_({ used: true })).toBe('checkpoint: depth')
    expect(with_({}, sampleCall({ children: 2 }))).toBe('checkpoint: depth')
    expect(with_({}, sampleCall({ estimate: amounts(301, 30) }))).toBe('checkpoint: depth')
    expect(with_({}, sampleCall(), wideLimits({ maxDepth: 3, maxChildren: 99 }))).toBe(
      'checkpoint: depth',
    )
    expect(with_({ snapshotHash: 'another' })).toBe('checkpoint: depth')
  })

  it('that is a denial, an expiry or a cancellation ends the recursion', () => {
    expect(with_({ decision: 'denied' })).toBe('CHECKPOINT_DENIED')
    expect(with_({ decision: 'expired' })).toBe('CHECKPOINT_EXPIRED')
    expect(with_({ decision: 'cancelled' })).toBe('CHECKPOINT_CANCELLED')
    expect(with_({ decision: 'voided' })).toBe('checkpoint: depth')
  })

  it('never lifts a limit', () => {
    const over = sampleLineage({ depth: 3, checkpoint: approved })
    expect(outcome(decideCall(over, limits, sampleCall()))).toBe('DEPTH_EXCEEDED')
  })
})

describe('the guard', () => {
  it('takes parent and depth from the lineage, and tells what is left', () => {
    const lineage = sampleLineage({
      depth: 1,
      spent: amounts(100, 10),
      held: amounts(50, 5),
      childrenGenerated: 3,
    })
    const decision = decideCall(lineage, wideLimits(), {
      ...sampleCall(),
      depth: 0,
      parentId: 'ver_made_up',
    })
    expect(decision).toMatchObject({
      kind: 'granted',
      snapshot: {
        rootId: lineage.rootId,
        parentId: lineage.parentId,
        depth: 2,
        childrenGenerated: 3,
        costSpent: amounts(100, 10),
        budgetRemaining: amounts(999_999_850, 9_999_985),
        termination: [{ type: 'target_score', score: 1 }],
        timestamp: lineage.now,
      },
    })
  })

  it('refuses a root that has ended, and a second generation beside an open one', () => {
    const call = sampleCall()
    expect(outcome(decideCall(sampleLineage({ ended: 'target' }), wideLimits(), call))).toBe(
      'ROOT_ENDED',
    )
    const open = sampleLineage({ depth: 1, bests: sampleLineage().bests, generationOpen: true })
    expect(outcome(decideCall(open, wideLimits(), call))).toBe('GENERATION_OPEN')
  })

  it('answers whatever it is given, and never throws', () => {
    let kinds = 0
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
        ownKeys: () => {
          throw new Error('no')
        },
      },
    )
    const strange = fc.oneof(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withSparseArray: true,
        withObjectString: true,
      }),
      fc.constant(hostile),
    )
    const shaken = (value: object) =>
      fc
        .dictionary(fc.constantFrom(...Object.keys(value)), strange, { maxKeys: 2 })
        .map((over) => ({ ...value, ...over }))
    fc.assert(
      fc.property(
        fc.oneof(strange, shaken(sampleLineage())),
        fc.oneof(strange, shaken(wideLimits())),
        fc.oneof(strange, shaken(sampleCall())),
        (lineage, limits, call) => {
          expect(['granted', 'checkpoint', 'refused']).toContain(
            decideCall(lineage, limits, call).kind,
          )
          kinds += 1
        },
      ),
      { numRuns: 5_000 },
    )
    expect(kinds).toBe(5_000)
  })

  it('grants nothing past a limit, and nothing at the ratio without an approval', () => {
    const count = (max: number) => fc.integer({ min: 0, max })
    let granted = 0
    fc.assert(
      fc.property(
        fc.record({
          depth: count(5),
          children: fc.integer({ min: 1, max: 6 }),
          generated: count(14),
          spent: count(1_200),
          held: count(300),
          cost: count(600),
          ratio: fc.integer({ min: 1, max: 8 }),
        }),
        ({ depth, children, generated, spent, held, cost, ratio }) => {
          const limits = refinementLimits.parse({
            maxDepth: 4,
            maxChildren: 12,
            microUsd: 1_000,
            tokens: 1_000,
            checkpointRatio: ratio / 10,
          })
          const lineage = sampleLineage({
            depth,
            childrenGenerated: generated,
            spent: amounts(spent, spent),
            held: amounts(held, held),
          })
          const decision = decideCall(
            lineage,
            limits,
            sampleCall({ children, estimate: amounts(cost, cost) }),
          )
          const shares = [
            (depth + 1) / 4,
            (generated + children) / 12,
            (spent + held + cost) / 1_000,
          ]
          const isOver = shares.some((share) => share > 1)
          const isNear = shares.some((share) => share > 0 && share + 1e-9 >= ratio / 10)
          const expected = isOver ? 'refused' : isNear ? 'checkpoint' : 'granted'
          expect(decision.kind).toBe(expected)
          if (expected === 'granted') granted += 1
        },
      ),
      { numRuns: 5_000 },
    )
    expect(granted).toBeGreaterThan(10)
  })
})

describe('limits', () => {
  it.each([
    ['maxDepth', 0, 1, 10, 11],
    ['maxChildren', 0, 1, 100, 101],
    ['microUsd', -1, 0, 1_000_000_000, 1_000_000_001],
    ['tokens', 0, 1, 10_000_000, 10_000_001],
    ['checkpointRatio', 0.09, 0.1, 0.8, 0.81],
    ['decay', -0.01, 0, 0.5, 0.51],
    ['variants', 0, 1, 12, 13],
    ['checkpointExpiryMinutes', 0, 1, 10_080, 10_081],
  ])('%s names its range', (name, below, low, high, above) => {
    for (const value of [low, high])
      expect(refinementLimits.safeParse({ [name]: value }).success).toBe(true)
    for (const value of [below, above]) {
      const result = refinementLimits.safeParse({ [name]: value })
      expect(result.error?.issues[0]?.message).toContain(`from ${low} to ${high}`)
    }
  })

  it('have the defaults that are promised', () => {
    expect(refinementLimits.parse({})).toEqual({
      maxDepth: 3,
      maxChildren: 12,
      microUsd: 500_000,
      tokens: 80_000,
      checkpointRatio: 0.8,
      decay: 0.05,
      variants: 3,
      checkpointExpiryMinutes: 1_440,
    })
  })
})

describe('a child call', () => {
  const decision = decideCall(sampleLineage(), wideLimits(), sampleCall())
  if (decision.kind !== 'granted') throw new Error(decision.kind)
  const { snapshot } = decision
  const child = { ordinal: 1, kind: 'variant', strategy: 'brevity' } as const

  it('is built out of the guard’s permission', () => {
    expect(createChildCall(snapshot, child)).toMatchObject({
      callKey: 'variant:1:1',
      depth: 1,
      n: 1,
      part: '1',
    })
    for (const ordinal of [0, 4, 1.5])
      expect(() => createChildCall(snapshot, { ...child, ordinal })).toThrow(RangeError)
  })

  it('is built out of nothing else', () => {
    const { rootId, parentId, depth, childrenGenerated } = snapshot
    const { costSpent, budgetRemaining, termination, timestamp } = snapshot
    const seen = { rootId, parentId, depth, childrenGenerated, costSpent, budgetRemaining }
    const facts = { ...seen, termination, timestamp }
    // @ts-expect-error facts that look like a permission are none
    expect(() => createChildCall(facts, child)).toThrow(TypeError)
    // @ts-expect-error a decision is no permission: only a granted one holds one
    expect(() => createChildCall(decision, child)).toThrow(TypeError)
    // @ts-expect-error a permission cannot be changed
    expect(() => (snapshot.depth = 0)).toThrow(TypeError)
    // A copy keeps the type, and is none all the same.
    expect(() => createChildCall({ ...snapshot }, child)).toThrow(TypeError)
  })
})
