import { describe, expect, test } from 'vitest'
import { fnv1a, jitterSeconds } from './jitter.ts'
import { dueAt, duePeriods, nextDue, type Schedule } from './schedule.ts'

const weekly: Schedule = {
  cadence: 'weekly',
  coverage: 'closed',
  timeZone: 'America/New_York',
  offsetMinutes: 0,
  spreadMinutes: 0,
  seed: 'spec_01kafexample0000000000000000',
}
const daily: Schedule = { ...weekly, cadence: 'daily' }

describe('an instant to fire', () => {
  test('closed: the end of the period; rolling: its start', () => {
    expect(dueAt({ ...weekly, periodKey: '2022-W10' })).toBe('2022-03-14T04:00:00Z')
    expect(dueAt({ ...weekly, coverage: 'rolling', periodKey: '2022-W10' })).toBe(
      '2022-03-07T05:00:00Z',
    )
  })

  test('the offset is elapsed time, also over a change of the clocks', () => {
    // Midnight of 8 March 2026 and six hours: the clocks show 07:00, having skipped 02:00.
    expect(dueAt({ ...daily, offsetMinutes: 360, periodKey: '2026-03-07' })).toBe(
      '2026-03-08T11:00:00Z',
    )
  })

  test('the share of the spread comes from the seed alone', () => {
    // FNV-1a of "foobar" is 0xbf9cf968, of 2 ** 32 the share 0.74849…: of an hour, 2694.5 s.
    const spread = { ...weekly, spreadMinutes: 60, seed: 'foobar' }
    expect(dueAt({ ...spread, periodKey: '2022-W10' })).toBe('2022-03-14T04:44:54Z')
    expect(dueAt({ ...spread, periodKey: '2022-W11' })).toBe('2022-03-21T04:44:54Z')
    expect(dueAt({ ...spread, offsetMinutes: 30, periodKey: '2022-W10' })).toBe(
      '2022-03-14T05:14:54Z',
    )
  })
})

describe('jitter', () => {
  // The vectors of the hash's authors: http://www.isthe.com/chongo/src/fnv/test_fnv.c
  test.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('FNV-1a of %j', (text, hash) => expect(fnv1a(text)).toBe(hash))

  test('spreads ids over the whole of the spread', () => {
    const tenths = new Array<number>(10).fill(0)
    for (let id = 0; id < 1_000; id++) {
      const tenth = Math.floor(jitterSeconds(`spec_${id}`, 60) / 360)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(tenths).toHaveLength(10)
    expect(Math.min(...tenths)).toBeGreaterThan(50)
  })
})

describe('the next firing', () => {
  test('comes strictly after the instant', () => {
    const next = { ...weekly, lastPeriodKey: null }
    expect(nextDue({ ...next, after: '2022-03-14T03:59:59Z' })).toEqual({
      periodKey: '2022-W10',
      dueAt: '2022-03-14T04:00:00Z',
    })
    expect(nextDue({ ...next, after: '2022-03-14T04:00:00Z' })).toEqual({
      periodKey: '2022-W11',
      dueAt: '2022-03-21T04:00:00Z',
    })
    expect(nextDue({ ...next, coverage: 'rolling', after: '2022-03-14T04:00:00Z' })).toEqual({
      periodKey: '2022-W12',
      dueAt: '2022-03-21T04:00:00Z',
    })
  })

  test('is of a later period than the last that fired', () => {
    const after = '2022-03-10T00:00:00Z'
    expect(nextDue({ ...weekly, after, lastPeriodKey: '2022-W08' }).periodKey).toBe('2022-W10')
    expect(nextDue({ ...weekly, after, lastPeriodKey: '2022-W10' })).toEqual({
      periodKey: '2022-W11',
      dueAt: '2022-03-21T04:00:00Z',
    })
    expect(nextDue({ ...weekly, after, lastPeriodKey: '2022-W52' }).periodKey).toBe('2023-W01')
  })

  test('keeps an offset of more than a period apart from the period it is for', () => {
    const late = { ...daily, offsetMinutes: 3 * 1_440, after: '2026-06-10T12:00:00Z' }
    expect(nextDue({ ...late, lastPeriodKey: null })).toEqual({
      periodKey: '2026-06-07',
      dueAt: '2026-06-11T04:00:00Z',
    })
  })

  test('refuses a last period of another cadence', () => {
    const request = { ...daily, after: '2022-03-10T00:00:00Z', lastPeriodKey: '2022-W10' }
    expect(() => nextDue(request)).toThrow('a daily specification takes days')
  })
})

describe('what is due', () => {
  test('after an outage: every firing in (after, until], oldest first', () => {
    const outage = { after: '2026-03-07T05:00:00Z', until: '2026-03-10T04:00:00Z' }
    expect(duePeriods({ ...daily, ...outage })).toEqual([
      { periodKey: '2026-03-07', dueAt: '2026-03-08T05:00:00Z' },
      { periodKey: '2026-03-08', dueAt: '2026-03-09T04:00:00Z' },
      { periodKey: '2026-03-09', dueAt: '2026-03-10T04:00:00Z' },
    ])
  })

  test('is nothing between two firings', () => {
    const quiet = { after: '2022-03-14T04:00:00Z', until: '2022-03-21T03:59:59.999Z' }
    expect(duePeriods({ ...weekly, ...quiet })).toEqual([])
    expect(duePeriods({ ...weekly, after: quiet.until, until: quiet.after })).toEqual([])
  })

  test('leaves out a day that the zone skipped', () => {
    const apia = { ...daily, timeZone: 'Pacific/Apia', after: '2011-12-29T10:00:00Z' }
    expect(duePeriods({ ...apia, until: '2011-12-31T10:00:00Z' })).toEqual([
      { periodKey: '2011-12-29', dueAt: '2011-12-30T10:00:00Z' },
      { periodKey: '2011-12-31', dueAt: '2011-12-31T10:00:00Z' },
    ])
  })
})
