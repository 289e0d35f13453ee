import { describe, expect, test } from 'vitest'
import { AlmanacError } from '../errors.ts'
import type { Cadence } from './cadence.ts'
import {
  maxPeriods,
  nextPeriod,
  parsePeriodKey,
  periodsBetween,
  previousPeriod,
} from './period-key.ts'

const refusal = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (error instanceof AlmanacError) return { code: error.code, ...error.params }
    throw error
  }
  throw new Error('nothing was refused')
}

describe('keys that name a period', () => {
  test.each<[Cadence, string]>([
    ['daily', '2026-11-21'],
    ['daily', '2024-02-29'],
    ['daily', '1970-01-01'],
    ['daily', '9998-12-31'],
    ['weekly', '2026-W47'],
    ['weekly', '2026-W53'],
    ['weekly', '2020-W53'],
    ['weekly', '2025-W01'],
    ['monthly', '2026-11'],
  ])('%s %s', (cadence, key) => expect(parsePeriodKey(cadence, key)).toBe(key))
})

const days = 'a daily specification takes days such as 2026-11-21'
const weeks = 'a weekly specification takes ISO weeks such as 2026-W47'
const months = 'a monthly specification takes months such as 2026-11'

describe('keys that name none are refused with what is allowed', () => {
  test.each<[Cadence, string, string]>([
    ['daily', '2026-02-30', '2026-02 has the days 01 to 28'],
    ['daily', '2023-02-29', '2023-02 has the days 01 to 28'],
    ['daily', '2026-11-00', '2026-11 has the days 01 to 30'],
    ['daily', '2026-13-01', 'the months are 01 to 12'],
    ['daily', '2026-1-1', days],
    ['daily', '2026-W47', days],
    ['daily', '2026-11-21T00:00:00Z', days],
    ['daily', '1969-12-31', 'the years are 1970 to 9998'],
    ['daily', '9999-01-01', 'the years are 1970 to 9998'],
    ['weekly', '2026-W54', 'the ISO year 2026 has the weeks W01 to W53'],
    ['weekly', '2025-W53', 'the ISO year 2025 has the weeks W01 to W52'],
    ['weekly', '2026-W00', 'the ISO year 2026 has the weeks W01 to W53'],
    ['weekly', '2026-w47', weeks],
    ['weekly', '2026W47', weeks],
    ['weekly', '2026-W47-1', weeks],
    ['weekly', '2026-W47\n', weeks],
    ['weekly', '２０２６-W47', weeks],
    ['weekly', '', weeks],
    ['monthly', '2026-13', 'the months are 01 to 12'],
    ['monthly', '2026-00', 'the months are 01 to 12'],
    ['monthly', '2026-11-01', months],
    ['on_demand', '2026-11', 'an on-demand specification has no periods'],
  ])('%s %j', (cadence, key, allowed) => {
    expect(refusal(() => parsePeriodKey(cadence, key))).toEqual({
      code: 'CADENCE_PERIOD_INVALID',
      value: JSON.stringify(key),
      allowed,
    })
  })

  test('a long one is not repeated in full', () => {
    expect(() => parsePeriodKey('monthly', '9'.repeat(5_000))).toThrow(
      `The period "${'9'.repeat(23)}…" is not valid: ${months}.`,
    )
  })
})

describe('the periods around one', () => {
  test.each([
    ['daily', '2026-12-31', '2027-01-01'],
    ['daily', '2024-02-28', '2024-02-29'],
    ['daily', '2026-02-28', '2026-03-01'],
    ['weekly', '2020-W52', '2020-W53'],
    ['weekly', '2020-W53', '2021-W01'],
    ['weekly', '2026-W53', '2027-W01'],
    ['weekly', '2025-W52', '2026-W01'],
    ['monthly', '2026-12', '2027-01'],
    ['monthly', '2026-01', '2026-02'],
  ] as const)('%s %s, %s', (cadence, earlier, later) => {
    expect(nextPeriod(cadence, earlier)).toBe(later)
    expect(previousPeriod(cadence, later)).toBe(earlier)
  })

  test('there are none beyond the years', () => {
    expect(() => nextPeriod('monthly', '9998-12')).toThrow('the years are 1970 to 9998')
    expect(() => previousPeriod('weekly', '1970-W01')).toThrow('the years are 1970 to 9998')
  })
})

describe('the periods of a backfill', () => {
  test('come oldest first, with both ends', () => {
    expect(periodsBetween('weekly', '2020-W51', '2021-W02')).toEqual([
      '2020-W51',
      '2020-W52',
      '2020-W53',
      '2021-W01',
      '2021-W02',
    ])
    expect(periodsBetween('monthly', '2026-11', '2027-01')).toEqual([
      '2026-11',
      '2026-12',
      '2027-01',
    ])
    expect(periodsBetween('daily', '2026-11-21', '2026-11-21')).toEqual(['2026-11-21'])
    expect(periodsBetween('weekly', '2022-W01', '2022-W52')).toHaveLength(52)
  })

  test('are refused when they end before they begin', () => {
    expect(refusal(() => periodsBetween('weekly', '2022-W10', '2022-W09'))).toEqual({
      code: 'CADENCE_PERIOD_INVALID',
      value: '"2022-W09"',
      allowed: 'the last period may not come before the first, 2022-W10',
    })
  })

  test('are refused past the most that go at once', () => {
    expect(periodsBetween('daily', '2020-01-01', '2022-09-26')).toHaveLength(maxPeriods)
    expect(refusal(() => periodsBetween('daily', '2020-01-01', '2022-09-27'))).toEqual({
      code: 'CADENCE_PERIOD_INVALID',
      value: '"2022-09-27"',
      allowed: 'at most 1000 periods go at once, from 2020-01-01 until 2022-09-26',
    })
    expect(() => periodsBetween('monthly', '1970-01', '9998-12')).toThrow('until 2053-04')
    expect(() => periodsBetween('daily', '9998-01-01', '9998-12-31')).not.toThrow()
  })

  test('are refused when either end is no period', () => {
    expect(() => periodsBetween('weekly', '2026-11', '2026-W47')).toThrow(weeks)
    expect(() => periodsBetween('weekly', '2026-W47', '2026-W54')).toThrow('W01 to W53')
    expect(() => periodsBetween('on_demand', '2026-11', '2026-12')).toThrow('has no periods')
  })
})
