import { expect, it } from 'vitest'
import { nextAttempt } from './deliverer.ts'

it('tries again soon at first, for about three days, and then gives up', () => {
  const start = new Date('2026-11-21T00:00:00Z')
  const attempts: Date[] = []
  for (let now: Date | null = start; now; now = nextAttempt(attempts.length, now))
    attempts.push(now)
  const rests = attempts.slice(1).map((at, i) => at.getTime() - (attempts[i]?.getTime() ?? 0))
  expect(rests[0]).toBe(5_000)
  expect(rests.slice(0, 9)).toEqual(rests.slice(0, 9).toSorted((a, b) => a - b))
  const hours = ((attempts.at(-1)?.getTime() ?? 0) - start.getTime()) / 3_600_000
  expect(hours).toBeGreaterThan(70)
  expect(hours).toBeLessThan(73)
})
