import type { AuditEvent, GenerationKind, Specification, Termination } from '@almanac/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideCall } from './decide-call.ts'
import { bestAfter } from './effective-score.ts'
import { proveActs } from './prove.ts'
import { refinementIssues } from './refinement-issues.ts'
import { shouldStop } from './should-stop.ts'
import { createChildCall, limitsHash, snapshotHash } from './snapshot.ts'
import { sampleCall, sampleLineage, versionOf, wideLimits } from './testing/sample-lineage.ts'

const anyLineage = fc
  .record({
    depth: fc.nat(10),
    childrenGenerated: fc.nat(101),
    microUsd: fc.nat(1_100),
    tokens: fc.nat(1_100),
    generationOpen: fc.boolean(),
    ended: fc.constantFrom(null, null, 'depth' as const),
  })
  .map(({ microUsd, tokens, ...rest }) => {
    const lineage = sampleLineage({ ...rest, spent: { microUsd, tokens } })
    return rest.generationOpen ? { ...lineage, bests: lineage.bests.slice(0, -1) } : lineage
  })
const anyTermination: fc.Arbitrary<unknown> = fc.constantFrom(
  undefined,
  [],
  [{ type: 'target_score', score: 1 }],
  [{ type: 'depth_reached', depth: 3 }],
  [{ type: 'cost_ceiling', microUsd: 500 }],
)

describe('a call for an expansion', () => {
  it('is decided as one for as many variants is, whatever was used before', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(
        anyLineage,
        anyTermination,
        fc.integer({ min: 1, max: 5 }),
        (lineage, termination, children) => {
          const limits = wideLimits({ microUsd: 1_000, tokens: 1_000, maxDepth: 9 })
          const call = sampleCall({ termination, children })
          const decided = (kind: GenerationKind) => decideCall(lineage, limits, { ...call, kind })
          const [variant, expand] = [decided('variant'), decided('expand')]
          if (expand.kind === 'checkpoint' && variant.kind === 'checkpoint')
            expect(expand.needed.reached).toEqual(variant.needed.reached)
          else expect(expand).toEqual(variant)
          const what = expand.kind === 'refused' ? expand.refusal.code : expand.kind
          seen.set(what, (seen.get(what) ?? 0) + 1)
        },
      ),
      { numRuns: 2_000 },
    )
    for (const what of [
      ...['granted', 'checkpoint', 'TERMINATION_MISSING', 'GENERATION_OPEN', 'ROOT_ENDED'],
      ...['DEPTH_EXCEEDED', 'CHILDREN_EXCEEDED', 'COST_EXCEEDED', 'TOKENS_EXCEEDED'],
      'CEILING_EXCEEDED',
    ])
      expect([what, (seen.get(what) ?? 0) > 0]).toEqual([what, true])
  })

  it('needs a decision of its own: one for variants is none for it', () => {
    const limits = wideLimits({ maxDepth: 1 })
    const call = { ...sampleCall(), kind: 'expand' as const }
    const asked = decideCall(sampleLineage(), limits, call)
    if (asked.kind !== 'checkpoint') throw new Error(asked.kind)
    const answered = (snapshot: string) =>
      decideCall(
        sampleLineage({
          checkpoint: {
            ...{ id: 'chk', decision: 'approved', used: false },
            ...{ limitsHash: limitsHash(limits), snapshotHash: snapshot },
          },
        }),
        limits,
        call,
      ).kind
    expect(answered(asked.needed.snapshotHash)).toBe('granted')
    expect(answered(snapshotHash(asked.needed.facts, { ...call, kind: 'variant' }))).toBe(
      'checkpoint',
    )
  })

  it('is made out of the guard’s permission alone, under the name of its phase', () => {
    const decision = decideCall(sampleLineage(), wideLimits(), { ...sampleCall(), kind: 'expand' })
    if (decision.kind !== 'granted') throw new Error(decision.kind)
    const { snapshot } = decision
    const child = { ordinal: 2, kind: 'expand', strategy: 'expand', part: 'phase-2-audit' } as const
    expect(createChildCall(snapshot, child)).toMatchObject({
      ...{ callKey: 'expand:1:phase-2-audit', n: 1, part: 'phase-2-audit', depth: 1, ordinal: 2 },
    })
    expect(() => createChildCall(snapshot, { ...child, ordinal: 4 })).toThrow(RangeError)
    expect(() => createChildCall({ ...snapshot }, child)).toThrow(TypeError)
    // @ts-expect-error a parent and a depth are no permission
    expect(() => createChildCall({ parentId: snapshot.parentId, depth: 1 }, child)).toThrow(
      TypeError,
    )
  })
})

describe('what goes on after an expansion', () => {
  const before = { id: 'a', score: 0.8, depth: 0 }
  const made = (id: string, score: number) => ({ id, score, depth: 1 })
  const after = (kind: GenerationKind, scores: number[], merged: number | null = null) =>
    bestAfter(
      kind,
      {
        before,
        made: scores.map((score, i) => made(`c${i}`, score)),
        merged: merged === null ? null : made('m', merged),
      },
      0.05,
    ).id

  it.each<[string, GenerationKind, number[], number | null, string]>([
    ['an equal one, whatever its depth costs', 'expand', [0.8], null, 'c0'],
    ['a better one', 'expand', [0.8, 0.9], null, 'c1'],
    ['not a worse one', 'expand', [0.7999], null, 'a'],
    ['what was merged of all, not one of them', 'expand', [0.8, 0.8], 0.8, 'm'],
    ['no merge that is worse', 'expand', [0.7, 0.7], 0.75, 'a'],
    ['nothing new where all were dropped', 'expand', [], null, 'a'],
    ['of variants not an equal one', 'variant', [0.8], null, 'a'],
    ['of variants the best that decay leaves', 'variant', [0.8, 0.9], 0.85, 'c1'],
  ])('is %s', (_, kind, scores, merged, best) => {
    expect(after(kind, scores, merged)).toBe(best)
  })

  it('is never the end by itself: variants may still do better', () => {
    const target: Termination = [{ type: 'target_score', score: 0.99 }]
    const lineage = (kind: GenerationKind, done: number, merge: 'none' | 'rejected') =>
      sampleLineage({
        depth: 1,
        bests: [0.5, 0.5].map((score) => ({ id: versionOf('draft'), score, depth: 0 })),
        last: { kind, done, merge },
      })
    const ended = (...of: Parameters<typeof lineage>) =>
      shouldStop(lineage(...of), target, wideLimits())
    expect(ended('expand', 0, 'none')).toBeUndefined()
    expect(ended('expand', 2, 'rejected')).toBeUndefined()
    expect(ended('variant', 0, 'none')).toBe('no_children')
    expect(ended('variant', 2, 'rejected')).toBe('merge_rejected')
  })
})

describe('the proof of a root with an expansion', () => {
  const limits = wideLimits()
  const start = sampleLineage()
  const [draft] = start.bests
  const estimate = { microUsd: 300, tokens: 30 }
  const call = { ...sampleCall({ children: 1, estimate }), kind: 'expand' as const }
  const granted = decideCall(start, limits, call)
  if (granted.kind !== 'granted' || !draft) throw new Error(granted.kind)
  const { snapshot } = granted
  const child = { id: versionOf('expanded'), score: draft.score, depth: 1 }

  const life = (over: { kind?: GenerationKind; score?: number; best?: object }) => {
    const { kind = 'expand', score = child.score, best = child } = over
    const acts: [string, object][] = [
      [
        'refinement.started',
        {
          ...{ limits, limitsHash: limitsHash(limits), policy: 'stop', requestedBy: 'prn_1' },
          ...{ selfApproval: false, draft, spent: start.spent, deadlineAt: null },
        },
      ],
      [
        'refinement.granted',
        {
          ...{ generation: 1, kind, children: 1, estimate, checkpointId: null },
          ...{ snapshot: { ...snapshot }, limitsHash: limitsHash(limits) },
          snapshotHash: snapshotHash(snapshot, { kind, children: 1, estimate }),
        },
      ],
      [
        'refinement.variant_closed',
        {
          ...{ generation: 1, ordinal: 1, state: 'done', because: null, microUsd: 3, tokens: 2 },
          ...{ versionId: child.id, score },
        },
      ],
      ['refinement.merged', { generation: 1, merge: 'none', merged: null, best }],
      ['refinement.ended', { stopReason: 'depth', best }],
    ]
    const events = acts.map(([action, detail], i) => ({
      ...{ id: `aud_${i}`, tenantId: 'ten', actor: 'system', action, subject: start.rootId },
      ...{ at: '2026-11-21T10:00:00.000Z', detail: { act: i + 1, ...detail } },
    }))
    return proveActs(start.rootId, events as unknown as AuditEvent[]).problems
  }

  it('holds where the expansion goes on that scores what its parent did', () => {
    expect(life({})).toEqual([])
  })

  it('fails where one goes on that scores less, or none does that could', () => {
    expect(life({ score: 0.49, best: { ...child, score: 0.49 } })).not.toEqual([])
    expect(life({ best: draft })).toEqual([expect.stringMatching(/goes on, but .* is the best$/)])
  })

  it('fails where variants are told to have been one', () => {
    expect(life({ kind: 'variant' })).toEqual([
      expect.stringMatching(/goes on, but .* is the best$/),
    ])
  })
})

describe('a specification that expands', () => {
  const issues = (
    kind: Specification['kind'],
    expandAbove: number | undefined,
    patience = 2,
    documentKind?: 'x-plan',
  ): string[] =>
    refinementIssues({
      kind,
      ...(documentKind && { documentKind }),
      budget: { microUsd: 1_000_000_000, tokens: 10_000_000 },
      refinement: {
        ...wideLimits(),
        enabled: true,
        termination: [{ type: 'quality_plateau', epsilon: 0, patience }],
        ...(expandAbove !== undefined && { expandAbove }),
      },
    }).map(({ field }) => field)

  it('is a workflow, and has the patience for a generation that raises no score', () => {
    expect(issues('workflow', 20)).toEqual([])
    expect(issues('report', 20)).toEqual(['refinement.expandAbove'])
    expect(issues('workflow', 20, 2, 'x-plan')).toEqual(['refinement.expandAbove'])
    expect(issues('workflow', 20, 1)).toEqual(['refinement.termination.0.patience'])
    expect(issues('workflow', undefined, 1)).toEqual([])
  })
})
