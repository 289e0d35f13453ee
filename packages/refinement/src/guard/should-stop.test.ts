import type { Termination } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import { answerByPolicy } from './checkpoint-policy.ts'
import { chooseBest } from './effective-score.ts'
import type { Lineage } from './lineage.ts'
import { shouldStop } from './should-stop.ts'
import { sampleLineage, versionOf, wideLimits } from './testing/sample-lineage.ts'
import { checkTermination } from './termination.ts'

const target: Termination = [{ type: 'target_score', score: 0.9 }]

/** A lineage whose best scores after each generation were these, without decay. */
const scored = (scores: number[], over: Partial<Lineage> = {}): Lineage =>
  sampleLineage({
    depth: scores.length - 1,
    bests: scores.map((score, i) => ({
      id: versionOf(`v${scores.indexOf(score)}`),
      score,
      depth: i,
    })),
    ...over,
  })
const flat = wideLimits({ decay: 0 })

describe('after a generation', () => {
  it.each([
    [0.89, undefined],
    [0.9, 'target'],
    [0.91, 'target'],
  ])('with a score of %d a target of 0.9 gives %s', (score, expected) => {
    expect(shouldStop(scored([0.5, score]), target, flat)).toBe(expected)
  })

  it.each([
    [[0.5, 0.6], undefined],
    [[0.5, 0.51], undefined],
    [[0.5, 0.51, 0.52], 'plateau'],
    [[0.5, 0.51, 0.6], undefined],
    [[0.5, 0.6, 0.61], undefined],
  ])('with scores %j a plateau of 0.05, twice, gives %s', (scores, expected) => {
    const plateau: Termination = [{ type: 'quality_plateau', epsilon: 0.05, patience: 2 }]
    expect(shouldStop(scored(scores), plateau, flat)).toBe(expected)
  })

  // Numbers that are exact in binary.
  it.each([
    [0.49, 'plateau'],
    [0.5, 'plateau'],
    [0.51, undefined],
  ])('with a score of %d after 0.25 a plateau of 0.25 gives %s', (score, expected) => {
    const plateau: Termination = [{ type: 'quality_plateau', epsilon: 0.25, patience: 1 }]
    expect(shouldStop(scored([0.25, score]), plateau, flat)).toBe(expected)
  })

  it.each([
    [1, undefined],
    [2, 'plateau'],
    [3, 'plateau'],
  ])('after %i generations without gain a patience of 2 gives %s', (generations, expected) => {
    const plateau: Termination = [{ type: 'quality_plateau', epsilon: 0, patience: 2 }]
    const scores = Array.from({ length: generations + 1 }, () => 0.5)
    expect(shouldStop(scored(scores), plateau, flat)).toBe(expected)
  })

  it.each([
    [1, undefined],
    [2, 'depth'],
    [3, 'depth'],
  ])('at depth %i a condition of 2 gives %s', (depth, expected) => {
    const condition: Termination = [{ type: 'depth_reached', depth: 2 }]
    expect(shouldStop(sampleLineage({ depth }), condition, flat)).toBe(expected)
  })

  it.each([
    [499, undefined],
    [500, 'cost'],
    [501, 'cost'],
  ])('with %i spent a ceiling of 500 gives %s', (microUsd, expected) => {
    const condition: Termination = [{ type: 'cost_ceiling', microUsd: 500 }]
    const lineage = sampleLineage({ spent: { microUsd, tokens: 0 } })
    expect(shouldStop(lineage, condition, flat)).toBe(expected)
  })

  it('what was asked for comes before what is used up', () => {
    expect(shouldStop(scored([0.5, 0.95]), target, wideLimits({ maxDepth: 1 }))).toBe('target')
    expect(shouldStop(scored([0.5, 0.6]), target, wideLimits({ maxDepth: 1 }))).toBe('depth')
  })

  it('an answer, the deadline, and a generation that gave nothing end it', () => {
    const answered = (decision: 'denied' | 'expired' | 'approved') =>
      scored([0.5], {
        checkpoint: { id: 'chk', decision, limitsHash: '', snapshotHash: '', used: false },
      })
    expect(shouldStop(answered('denied'), target, flat)).toBe('denial')
    expect(shouldStop(answered('expired'), target, flat)).toBe('expiry')
    expect(shouldStop(answered('approved'), target, flat)).toBeUndefined()
    const late = scored([0.5], { deadlineAt: '2026-11-21T10:00:00.000Z' })
    expect(shouldStop(late, target, flat)).toBe('deadline')
    const lost = scored([0.5, 0.5], { last: { kind: 'variant', done: 0, merge: 'none' } })
    expect(shouldStop(lost, target, flat)).toBe('no_children')
    expect(shouldStop(scored([0.5], { childrenGenerated: 100 }), target, flat)).toBe('children')
  })

  it('a rejected merge ends it only when nothing else was better, and nobody has patience', () => {
    const rejected = { last: { kind: 'variant', done: 3, merge: 'rejected' } } as const
    expect(shouldStop(scored([0.5, 0.5], rejected), target, flat)).toBe('merge_rejected')
    expect(shouldStop(scored([0.5, 0.6], rejected), target, flat)).toBeUndefined()
    const patience: Termination = [{ type: 'quality_plateau', epsilon: 0.01, patience: 2 }]
    expect(shouldStop(scored([0.5, 0.5], rejected), patience, flat)).toBeUndefined()
  })
})

describe('decay', () => {
  const parent = { id: 'a', score: 0.88, depth: 0 }
  const child = { id: 'b', score: 0.91, depth: 1 }

  it('changes the winner', () => {
    expect(chooseBest([parent, child], 0)?.id).toBe('b')
    expect(chooseBest([parent, child], 0.05)?.id).toBe('a')
    expect(chooseBest([child, parent], 0.05)?.id).toBe('a')
  })

  it.each([
    [0.79, 'a'],
    [0.8, 'a'],
    [0.81, 'b'],
  ])('of a half leaves a parent of 0.4 and its child of %d to %s', (score, expected) => {
    const [kept, made] = [
      { ...parent, score: 0.4 },
      { ...child, score },
    ]
    expect(chooseBest([kept, made], 0.5)?.id).toBe(expected)
    expect(chooseBest([made, kept], 0.5)?.id).toBe(expected)
  })

  it('leaves equals to the lower id, and nothing of nothing', () => {
    expect(chooseBest([{ ...parent, id: 'c' }, parent], 0.05)?.id).toBe('a')
    expect(chooseBest([], 0.05)).toBeUndefined()
  })
})

describe('a condition that cannot come true', () => {
  const limits = wideLimits({ maxDepth: 3, microUsd: 1_000, tokens: 1_000 })
  const verdict = (condition: object, lineage?: Lineage) => {
    const checked = checkTermination([condition], limits, lineage && { lineage, children: 3 })
    return checked.ok ? 'ok' : checked.refusal.code
  }

  it.each([
    [{ type: 'target_score', score: 1 }, 'ok'],
    [{ type: 'target_score', score: 1.01 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'target_score', score: 0 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'depth_reached', depth: 0 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'depth_reached', depth: 3 }, 'ok'],
    [{ type: 'depth_reached', depth: 4 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'cost_ceiling' }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'cost_ceiling', microUsd: 1_000 }, 'ok'],
    [{ type: 'cost_ceiling', microUsd: 1_001 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'cost_ceiling', tokens: 0 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'cost_ceiling', tokens: 1_001 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'quality_plateau', epsilon: 0.01, patience: 3 }, 'ok'],
    [{ type: 'quality_plateau', epsilon: 0.01, patience: 4 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'quality_plateau', epsilon: 1, patience: 1 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'quality_plateau', epsilon: -0.1, patience: 1 }, 'TERMINATION_IMPOSSIBLE'],
    [{ type: 'until_it_is_good' }, 'TERMINATION_INVALID'],
    [{}, 'TERMINATION_INVALID'],
  ])('%j is %s', (condition, expected) => {
    expect(verdict(condition)).toBe(expected)
  })

  it('or has already, is told from the lineage', () => {
    const at = sampleLineage({ depth: 1, spent: { microUsd: 100, tokens: 10 } })
    expect(verdict({ type: 'target_score', score: 0.51 }, at)).toBe('TERMINATION_MET')
    expect(verdict({ type: 'target_score', score: 0.52 }, at)).toBe('ok')
    expect(verdict({ type: 'depth_reached', depth: 1 }, at)).toBe('TERMINATION_MET')
    expect(verdict({ type: 'depth_reached', depth: 2 }, at)).toBe('ok')
    expect(verdict({ type: 'cost_ceiling', microUsd: 100 }, at)).toBe('TERMINATION_MET')
    expect(verdict({ type: 'cost_ceiling', tokens: 11 }, at)).toBe('ok')
    const level = sampleLineage({
      depth: 1,
      bests: [...sampleLineage().bests, ...sampleLineage().bests],
    })
    expect(verdict({ type: 'quality_plateau', epsilon: 0.01, patience: 1 }, level)).toBe(
      'TERMINATION_MET',
    )
    const few = sampleLineage({ childrenGenerated: 97 })
    expect(verdict({ type: 'depth_reached', depth: 2 }, few)).toBe('TERMINATION_IMPOSSIBLE')
  })

  it('is refused with the reason', () => {
    const checked = checkTermination([{ type: 'depth_reached', depth: 4 }], limits)
    expect(checked).toMatchObject({
      refusal: { limit: 'depth_reached.depth', value: '4', allowed: '1 to maxDepth, which is 3' },
    })
    expect(checkTermination(undefined, limits)).toMatchObject({
      refusal: { code: 'TERMINATION_MISSING' },
    })
    expect(checkTermination([], limits)).toMatchObject({ refusal: { code: 'TERMINATION_MISSING' } })
  })
})

describe('a checkpoint policy', () => {
  const auto = { auto: { maxExtraMicroUsd: 100, maxExtraTokens: 10, minGain: 0.1 } }
  const ask = (
    estimate: object,
    lineage = scored([0.5, 0.65]),
    granted = { microUsd: 0, tokens: 0 },
  ) =>
    answerByPolicy(auto, {
      lineage,
      decay: 0,
      granted,
      estimate: { microUsd: 0, tokens: 0, ...estimate },
    }).answer

  it('waits for a person, or stops', () => {
    const at = {
      lineage: sampleLineage(),
      decay: 0,
      estimate: { microUsd: 1, tokens: 1 },
      granted: { microUsd: 0, tokens: 0 },
    }
    expect(answerByPolicy('human', at)).toEqual({ answer: 'wait' })
    expect(answerByPolicy('stop', at).answer).toBe('denied')
  })

  it.each([
    [99, 'approved'],
    [100, 'approved'],
    [101, 'denied'],
  ])('with %i extra micro-USD of 100 is %s', (microUsd, expected) => {
    expect(ask({ microUsd })).toBe(expected)
  })

  it.each([
    [9, 'approved'],
    [10, 'approved'],
    [11, 'denied'],
  ])('with %i extra tokens of 10 is %s', (tokens, expected) => {
    expect(ask({ tokens })).toBe(expected)
  })

  it('counts what it has granted before, and asks for a gain', () => {
    expect(ask({ microUsd: 50 }, scored([0.5, 0.65]), { microUsd: 50, tokens: 0 })).toBe('approved')
    expect(ask({ microUsd: 51 }, scored([0.5, 0.65]), { microUsd: 50, tokens: 0 })).toBe('denied')
    expect(ask({}, scored([0.5, 0.55]))).toBe('denied')
    expect(ask({}, scored([0.5]))).toBe('approved')
    expect(ask({}, scored([0.95]))).toBe('denied')
  })
})
