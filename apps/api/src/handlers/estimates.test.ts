import { describe, expect, it } from 'vitest'
import { bestGuess, fit } from './estimates.ts'

const of = (microUsd: number, tokens = 0) => ({ microUsd, tokens })
const limit = of(1_000, 1_000)
const assembled = {
  ...{ periodKey: null, low: of(10), first: of(200), most: of(200) },
  mostWithRepairs: of(600),
}
const past = (expected: number) => ({
  ...{ runs: 5, low: of(expected - 1), expected: of(expected), high: of(expected + 1) },
})
const none = { assembled: undefined, refines: false, own: undefined, kindred: undefined, limit }

describe('the best guess', () => {
  it.each([
    ['the package', { assembled, own: past(50) }, ['package', 10, 50, 600]],
    ['the package alone: what the drafts cost at most', { assembled }, ['package', 10, 200, 600]],
    ['a past below what reading costs', { assembled, own: past(5) }, ['package', 10, 10, 600]],
    ['a past above the bound', { assembled, kindred: past(700) }, ['package', 10, 600, 600]],
    [
      'a refinement, which may use up the budget',
      { assembled, refines: true },
      ['package', 10, 200, 1_000],
    ],
    ['its own past', { own: past(50), kindred: past(9) }, ['specification_history', 49, 50, 51]],
    ['the past of its kind', { kindred: past(9) }, ['kindred_history', 8, 9, 10]],
    ['nothing but the budget', {}, ['run_budget', 0, 1_000, 1_000]],
  ])('rests on %s', (_, known, [basis, low, expected, high]) => {
    expect(bestGuess({ ...none, ...known })).toMatchObject({
      basis,
      low: { microUsd: low },
      expected: { microUsd: expected },
      high: { microUsd: high },
    })
  })
})

describe('whether it fits', () => {
  const room = (left: number | null, blocked = false) => ({
    ...{ level: 'tenant/day' as const, left: { microUsd: left, tokens: null }, blocked },
  })
  const asked = { wanted: of(200), first: of(40), expected: of(50), high: of(600), limit }
  it.each([
    ['no limit', [room(null)], 'yes', 0],
    ['room for all of it', [room(600)], 'yes', 0],
    ['room for what is expected', [room(599)], 'maybe', 1],
    ['no room for that', [room(49)], 'no', 1],
    ['an overrun', [room(null, true)], 'no', 1],
  ])('with %s', (_, rooms, fits, short) => {
    const found = fit({ ...asked, rooms })
    expect(found.fits).toBe(fits)
    expect(found.short).toHaveLength(short)
  })

  it('holds more for the first call than it is expected to cost', () => {
    expect(fit({ ...asked, first: of(100), rooms: [room(60)] }).fits).toBe('no')
  })

  it('says that a run’s own budget is below what its first calls may cost', () => {
    expect(fit({ ...asked, wanted: of(2_000), first: of(2_000), rooms: [] })).toEqual({
      fits: 'no',
      short: [{ level: 'root', unit: 'micro-USD', needed: 2_000, left: 1_000, because: 'limit' }],
    })
  })
})
