/**
 * The order of siblings that two versions put in order, each knowing the ancestor's: who changed the
 * order of what all have is followed; of both, the one with the higher score, then the first. What only
 * the other has follows the sibling that it follows there.
 */
export function mergedOrder(
  base: readonly string[],
  [x, y]: readonly [readonly string[], readonly string[]],
  scores: readonly [number, number],
): { ids: string[]; taken: 0 | 1; isDisagreement: boolean } {
  const [inBase, inX, inY] = [new Set(base), new Set(x), new Set(y)]
  const shared = (ids: readonly string[]) =>
    ids.filter((id) => inBase.has(id) && inX.has(id) && inY.has(id))
  const [old, mine, other] = [shared(base), shared(x), shared(y)]
  const both = !sameIds(mine, old) && !sameIds(other, old) && !sameIds(mine, other)
  const taken = both ? (scores[1] > scores[0] ? 1 : 0) : sameIds(mine, old) ? 1 : 0
  // With equal orders the first side leads, so that its additions stand before the other's.
  const leader = !both && sameIds(mine, other) ? 0 : taken
  const [first, second] = leader === 0 ? [x, y] : [y, x]
  return { ids: interleaved(interleaved(first, second), base), taken: leader, isDisagreement: both }
}

/**
 * `first`, and what only `second` has, behind the nearest sibling before it that both have, and behind
 * what `first` alone has there.
 */
function interleaved(first: readonly string[], second: readonly string[]): string[] {
  const [inFirst, inSecond] = [new Set(first), new Set(second)]
  const runs = new Map<string | null, string[]>()
  let anchor: string | null = null
  for (const id of second) {
    if (inFirst.has(id)) anchor = id
    else runs.set(anchor, [...(runs.get(anchor) ?? []), id])
  }
  const ids: string[] = []
  let run = runs.get(null) ?? []
  for (const id of first) {
    if (inSecond.has(id)) {
      ids.push(...run)
      run = runs.get(id) ?? []
    }
    ids.push(id)
  }
  return [...ids, ...run]
}

const sameIds = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i])
