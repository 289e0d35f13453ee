import {
  refinementLimits,
  type RefinementLimits,
  type RunId,
  type VersionId,
} from '@almanac/domain'
import { derivedId } from '@almanac/domain/ids'
import type { Lineage } from '../lineage.ts'

const rootId: RunId = derivedId('run', 'root')
export const versionOf = (name: string): VersionId => derivedId('version', name)
const draftId = versionOf('draft')

/** Limits far away, so that a test meets only the one that it sets. */
export const wideLimits = (over: Partial<RefinementLimits> = {}): RefinementLimits =>
  refinementLimits.parse({
    maxDepth: 10,
    maxChildren: 100,
    microUsd: 1_000_000_000,
    tokens: 10_000_000,
    ...over,
  })

/** A root with a draft of score 0.5 and nothing else, but for what is given. */
export const sampleLineage = (over: Partial<Lineage> = {}): Lineage => {
  const { depth = 0, bests } = over
  const generations =
    bests ??
    Array.from({ length: depth + 1 }, (_, i) => ({
      id: i === 0 ? draftId : versionOf(`best-${i}`),
      score: 0.5 + i / 100,
      depth: i,
    }))
  return {
    rootId,
    parentId: generations.at(-1)?.id ?? draftId,
    depth,
    childrenGenerated: 0,
    spent: { microUsd: 0, tokens: 0 },
    held: { microUsd: 0, tokens: 0 },
    bests: generations,
    last: null,
    generationOpen: false,
    ended: null,
    checkpoint: null,
    deadlineAt: null,
    now: '2026-11-21T10:00:00.000Z',
    ...over,
  }
}

/** A call of three children that costs next to nothing and may go on for long. */
export const sampleCall = (over: object = {}) => ({
  children: 3,
  estimate: { microUsd: 300, tokens: 30 },
  termination: [{ type: 'target_score', score: 1 }],
  ...over,
})
