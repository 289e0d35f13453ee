import type { GenerationKind } from '@almanac/domain'
import { effectiveScore, ranked } from '../merge/rank.ts'

export { effectiveScore }

/** A version that may go on: its score, and how many generations lie between it and the first one. */
export interface Candidate {
  id: string
  score: number
  depth: number
}

/**
 * The version that goes on after a generation: of variants the best of all, the one before among them. An
 * expansion is not made to score more, so its depth does not count against it: the best of those that score
 * at least what they were made of takes its place, and what was merged of several comes before its parts.
 */
export function bestAfter<C extends Candidate>(
  kind: GenerationKind,
  { before, made, merged }: { before: C; made: readonly C[]; merged: C | null },
  decay: number,
): C {
  const all = merged ? [...made, merged] : made
  if (kind === 'variant') return chooseBest([before, ...all], decay) ?? before
  const taken = all.filter(({ score }) => score >= before.score)
  return (merged && taken.includes(merged) ? merged : chooseBest(taken, decay)) ?? before
}

/** The best of several valid versions: by effective score, then the lower id. Undefined of none. */
export const chooseBest = <C extends Candidate>(
  candidates: readonly C[],
  decay: number,
): C | undefined => ranked(candidates, decay)[0]
