/** What a score counts at a depth: score × (1 − decay)^depth. */
export const effectiveScore = (score: number, depth: number, decay: number): number =>
  score * (1 - decay) ** depth

/** Best effective score first, then by id: the order in which variants are merged, however they arrived. */
export function ranked<V extends { id: string; score: number; depth: number }>(
  versions: readonly V[],
  decay: number,
): V[] {
  const worth = ({ score, depth }: V) => effectiveScore(score, depth, decay)
  return [...versions].sort((a, b) => worth(b) - worth(a) || (a.id < b.id ? -1 : 1))
}
