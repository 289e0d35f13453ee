import { expect, it } from 'vitest'
import type { Generation } from './one-generation.ts'

/** Three of the names, drawn by the seed. */
export const threeOf = <N extends string>(names: readonly N[], random: () => number): N[] =>
  names
    .map((name) => ({ name, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 3)
    .map(({ name }) => name)

/** What is promised of one generation over documents with injected defects, of whatever kind. */
export function itGains(
  all: readonly Generation[],
  { closes, again }: { closes: readonly string[]; again: (seed: number) => Promise<Generation> },
): void {
  it('gains at least 0.15 on average, with three variants and a merge', () => {
    const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length
    expect(all.map(({ variants }) => variants.length)).toEqual(all.map(() => 3))
    expect(mean(all.map(({ gain }) => gain.score))).toBeGreaterThanOrEqual(0.15)
    for (const { gain } of all) expect(gain.score).toBeGreaterThan(0)
  })

  it('names the findings and failed checks that each gain closed, and opens none', () => {
    for (const { before, after, gain } of all) {
      expect(gain.opened).toEqual([])
      const reasons = gain.metrics.flatMap(({ closed }) => closed)
      expect(gain.closed.length + reasons.length).toBeGreaterThan(0)
      for (const finding of gain.closed) expect(before.findings).toContain(finding)
      expect(gain.closed.length).toBeGreaterThanOrEqual(
        before.findings.length - after.findings.length,
      )
      for (const { name, before: low, after: high, closed } of gain.metrics)
        if (high > low) expect(closed, name).not.toEqual([])
    }
    const codes = new Set(all.flatMap(({ gain }) => gain.closed.map(({ code }) => code)))
    expect([...codes].sort()).toEqual(closes)
  })

  it('is never below the base or any variant', () => {
    for (const { before, variants, after } of all)
      for (const score of [before.evaluation.score, ...variants.map((one) => one.score)])
        expect(after.evaluation.score).toBeGreaterThanOrEqual(score)
  })

  it('gives every variant of a generation another brief', () => {
    for (const { briefs } of all) expect(new Set(briefs).size).toBe(3)
  })

  it('gives the same bytes again', async () => {
    expect(JSON.stringify(await again(4))).toBe(JSON.stringify(all[3]))
  })
}
