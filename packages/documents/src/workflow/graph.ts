/** What depends on what: each key with the keys that must come before it, in a fixed order. */
export type Dependencies = ReadonlyMap<string, readonly string[]>

/**
 * The keys in an order in which each comes after what it depends on. Of those that could come next, the
 * one named first comes first, so that the order is stable. Keys of a cycle, and what waits for them,
 * are left out; keys that nobody has do not count.
 */
export function topologicalOrder(dependencies: Dependencies): string[] {
  const waiting = new Map(
    [...dependencies].map(([key, before]) => [
      key,
      new Set(before.filter((one) => dependencies.has(one))),
    ]),
  )
  const order: string[] = []
  for (;;) {
    const next = [...waiting].find(([, before]) => before.size === 0)
    if (!next) return order
    const [key] = next
    order.push(key)
    waiting.delete(key)
    for (const before of waiting.values()) before.delete(key)
  }
}

/**
 * One cycle for each group of keys that depend on each other in a circle: its keys in the order of
 * dependence, starting with the one named first. A key that depends on itself is a cycle of one.
 */
export function cycles(dependencies: Dependencies): string[][] {
  const found: string[][] = []
  const settled = new Set<string>()
  for (const start of dependencies.keys()) {
    if (settled.has(start)) continue
    const path = shortestCycle(dependencies, start)
    if (!path) continue
    found.push(path)
    for (const key of path) settled.add(key)
  }
  return found
}

/** The keys that wait for themselves, directly or through others, in the order of `dependencies`. */
export const circular = (dependencies: Dependencies): string[] =>
  [...dependencies.keys()].filter((key) => shortestCycle(dependencies, key) !== undefined)

/** The shortest way from `start` back to it. */
function shortestCycle(dependencies: Dependencies, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const key of queue) {
    for (const before of dependencies.get(key) ?? []) {
      if (before === start) {
        const path = [key]
        for (let at = key; at !== start; path.unshift(at)) at = cameFrom.get(at) ?? start
        return path
      }
      if (cameFrom.has(before) || !dependencies.has(before)) continue
      cameFrom.set(before, key)
      queue.push(before)
    }
  }
  return undefined
}
