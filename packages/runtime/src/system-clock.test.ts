import { runId } from '@almanac/domain'
import { expect, it } from 'vitest'
import { randomIds, systemClock } from './system-clock.ts'

it('tells the machine’s time', () => {
  const before = Date.now()
  const now = systemClock.now().getTime()
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
})

it('makes ids that differ and say what they name', () => {
  const ids = Array.from({ length: 100 }, () => randomIds.next('run'))
  expect(new Set(ids).size).toBe(100)
  for (const id of ids) expect(runId.parse(id)).toBe(id)
})
