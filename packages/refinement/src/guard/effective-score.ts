import { effectiveScore, ranked } from '../merge/rank.ts'

export { effectiveScore }

/** A version that may go on: its score, and how many generations lie between it and the first one. */
export interface Candidate {
  id: string
  score: number
  depth: number
}

/** The best of several valid versions: by effective score, then the lower id. Undefined of none. */
export const chooseBest = <C extends Candidate>(
  candidates: readonly C[],
  decay: number,
): C | undefined => ranked(candidates, decay)[0]
