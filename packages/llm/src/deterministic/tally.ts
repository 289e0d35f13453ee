import { compare } from './grouping.ts'

/** A key with what was counted under it. */
export interface Tally<T> {
  key: string
  things: T[]
}

/** Counts `things` under every key that `keysOf` gives, once a key; the largest first, then by key. */
export function tally<T>(
  things: readonly T[],
  keysOf: (thing: T) => readonly (string | undefined)[],
): Tally<T>[] {
  const counted = new Map<string, T[]>()
  for (const thing of things)
    for (const key of new Set(keysOf(thing))) {
      if (key === undefined) continue
      const under = counted.get(key)
      if (under) under.push(thing)
      else counted.set(key, [thing])
    }
  return [...counted]
    .map(([key, under]) => ({ key, things: under }))
    .sort((a, b) => b.things.length - a.things.length || compare(a.key, b.key))
}

/** The one that has more than every other, at least three and at least a fifth of `all`. */
export function leader<T>(tallies: readonly Tally<T>[], all: number): Tally<T> | undefined {
  const [first, second] = tallies
  const leads = first && first.things.length > (second?.things.length ?? 0)
  return leads && first.things.length >= Math.max(3, all / 5) ? first : undefined
}
