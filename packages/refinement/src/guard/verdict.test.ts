import type { Termination } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { decideCall, type CallDecision } from './decide-call.ts'
import { proveActs } from './prove.ts'
import { refinementIssues } from './refinement-issues.ts'
import { shouldStop } from './should-stop.ts'
import { limitsHash, snapshotHash } from './snapshot.ts'
import { checkTermination } from './termination.ts'
import { sampleCall, sampleLineage, wideLimits } from './testing/sample-lineage.ts'
import type { ConditionVerdict } from './verdict.ts'

const termination: Termination = [
  { type: 'depth_reached', depth: 9 },
  { type: 'plugin', name: 'enough' },
]
const limits = wideLimits()
const says = (because: string | null, generation = 2, name = 'enough'): ConditionVerdict[] => [
  { name, generation, because },
]
const lineage = sampleLineage({ depth: 2 })
const decided = (verdicts: unknown, over: object = {}): string => {
  const decision: CallDecision = decideCall(lineage, limits, {
    ...sampleCall({ termination }),
    ...(verdicts === undefined ? {} : { verdicts }),
    ...over,
  })
  return decision.kind === 'refused' ? decision.refusal.code : decision.kind
}

describe('a condition of a plugin, of which the guard is told what it said', () => {
  it('lets a generation be made while it has not come true', () => {
    expect(decided(says(null))).toBe('granted')
  })

  it.each([
    ['it has come true', says('the agencies are on holiday'), 'TERMINATION_MET'],
    ['it was not asked', undefined, 'TERMINATION_INVALID'],
    ['another was asked', says(null, 2, 'other'), 'TERMINATION_INVALID'],
    ['it was asked before the last generation', says(null, 1), 'TERMINATION_INVALID'],
    ['its word cannot be read', [{ name: 'enough' }], 'CALL_INVALID'],
  ])('refuses one where %s', (_, verdicts, code) => {
    expect(decided(verdicts)).toBe(code)
  })

  it('ends the refinement once it has come true, after what Almanac asks for itself', () => {
    expect(shouldStop(lineage, termination, limits, says('enough is enough'))).toBe('plugin')
    expect(shouldStop(lineage, termination, limits, says(null))).toBeUndefined()
    expect(shouldStop(lineage, termination, limits, says('too early', 1))).toBeUndefined()
    const both: Termination = [{ type: 'depth_reached', depth: 2 }, ...termination.slice(1)]
    expect(shouldStop(lineage, both, limits, says('enough'))).toBe('depth')
  })

  it('is no condition by itself: nobody can tell whether it ever comes true', () => {
    const alone = termination.slice(1)
    expect(checkTermination(alone, limits)).toMatchObject({
      refusal: { code: 'TERMINATION_IMPOSSIBLE', limit: 'termination' },
    })
    const budget = { microUsd: 1_000_000_000, tokens: 10_000_000 }
    const refinement = { ...limits, enabled: true as const }
    const issues = (own: Termination) =>
      refinementIssues({ kind: 'report', budget, refinement: { ...refinement, termination: own } })
    expect(issues(termination)).toEqual([])
    expect(issues(alone).map(({ field }) => field)).toEqual(['refinement.termination'])
  })
})

describe('the proof of a root with a condition of a plugin', () => {
  const start = sampleLineage()
  const { rootId, bests } = start
  const estimate = { microUsd: 300, tokens: 30 }
  const [draft] = bests
  if (!draft) throw new Error('there is no draft')
  const granted = decideCall(start, limits, {
    ...{ children: 1, estimate, termination },
    verdicts: says(null, 0),
  })
  if (granted.kind !== 'granted') throw new Error(granted.kind)
  const { snapshot } = granted
  const hashes = {
    limitsHash: limitsHash(limits),
    snapshotHash: snapshotHash(snapshot, { children: 1, estimate }),
  }
  const life = (asked: ConditionVerdict[] | undefined, ended: ConditionVerdict[] | undefined) =>
    [
      [
        'refinement.started',
        {
          limits,
          limitsHash: hashes.limitsHash,
          ...{ policy: 'stop', requestedBy: 'somebody', selfApproval: false },
          ...{ draft, spent: { microUsd: 0, tokens: 0 }, deadlineAt: null },
        },
      ],
      [
        'refinement.granted',
        {
          ...{ generation: 1, kind: 'variant', children: 1, estimate, checkpointId: null },
          ...{ snapshot: { ...snapshot }, ...hashes },
          ...(asked && { verdicts: asked }),
        },
      ],
      [
        'refinement.variant_closed',
        {
          ...{ generation: 1, ordinal: 1, state: 'failed', microUsd: 0, tokens: 0 },
          ...{ versionId: null, score: null, because: 'STAGE_FAILED' },
        },
      ],
      ['refinement.merged', { generation: 1, merge: 'none', merged: null, best: draft }],
      [
        'refinement.ended',
        { stopReason: 'plugin', best: draft, ...(ended && { verdicts: ended }) },
      ],
    ] as const
  const proved = (asked?: ConditionVerdict[], ended?: ConditionVerdict[]) =>
    proveActs(
      rootId,
      life(asked, ended).map(([action, detail], i) => ({
        id: `aud_${i}`,
        ...{ at: '2026-11-21T10:00:00.000Z', actor: 'system', tenantId: 'ten' },
        ...{ action, subject: rootId, detail: { act: i + 1, ...detail } },
      })) as never,
    ).problems

  it('holds by what the plugin said, and without it does not', () => {
    const [none, enough] = [says(null, 0), says('enough', 1)]
    expect(proved(none, enough)).toEqual([])
    expect(proved(undefined, enough)).toEqual([expect.stringMatching(/TERMINATION_INVALID/)])
    expect(proved(says('before', 0), enough)).toEqual([expect.stringMatching(/TERMINATION_MET/)])
    for (const nothing of [undefined, says(null, 1), says('late', 2), says('x', 1, 'other')])
      expect(proved(none, nothing)).toEqual(['act 5: no condition of a plugin had come true'])
  })
})
