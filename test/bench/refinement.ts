import { refinementLimits, type RunId, type VersionId } from '@almanac/domain'
import { derivedId } from '@almanac/domain/ids'
import { decideCall } from '@almanac/refinement'
import { metric, type Metric } from './measurements.ts'
import { rootTimes } from './roots.ts'

const calls = 20_000

/**
 * The guard alone: one decision of a root with two generations behind it, once far from every limit and
 * once at the ratio, where hashes are made. Then whole roots (`rootMs`), see there.
 */
export async function benchRefinement({
  rounds,
}: {
  rounds: number
}): Promise<Record<string, Metric>> {
  const far = refinementLimits.parse({ maxDepth: 10, maxChildren: 100 })
  const near = refinementLimits.parse({ maxDepth: 3 })
  decisions(far, 'granted')
  decisions(near, 'checkpoint')
  const figures = Array.from({ length: Math.max(3, rounds) }, () => ({
    far: decisions(far, 'granted'),
    near: decisions(near, 'checkpoint'),
  }))
  return {
    rootMs: metric(await rootTimes(Math.max(3, rounds)), 'ms'),
    decideCallUs: metric(
      figures.map((figure) => figure.far),
      'µs',
    ),
    decideCheckpointUs: metric(
      figures.map((figure) => figure.near),
      'µs',
    ),
  }
}

/** Microseconds a decision. */
function decisions(limits: object, expected: string): number {
  const lineage = sampleLineage()
  const call = {
    children: 3,
    estimate: { microUsd: 3_000, tokens: 300 },
    termination: [
      { type: 'target_score', score: 0.95 },
      { type: 'quality_plateau', epsilon: 0.01, patience: 1 },
    ],
  }
  const started = performance.now()
  for (let i = 0; i < calls; i += 1) {
    const { kind } = decideCall(lineage, limits, call)
    if (kind !== expected) throw new Error(`the guard says ${kind}`)
  }
  return ((performance.now() - started) * 1_000) / calls
}

function sampleLineage() {
  const version = (name: string): VersionId => derivedId('version', name)
  const rootId: RunId = derivedId('run', 'bench')
  return {
    rootId,
    parentId: version('2'),
    depth: 2,
    childrenGenerated: 6,
    spent: { microUsd: 9_000, tokens: 900 },
    held: { microUsd: 0, tokens: 0 },
    bests: [0.6, 0.7, 0.8].map((score, depth) => ({ id: version(String(depth)), score, depth })),
    last: { kind: 'variant', done: 3, merge: 'accepted' },
    generationOpen: false,
    ended: null,
    checkpoint: null,
    deadlineAt: '2026-11-22T10:00:00.000Z',
    now: '2026-11-21T10:00:00.000Z',
  }
}
