import { describe, expect, it } from 'vitest'
import { dayOf, daysFrom, longDate } from './calendar-date.ts'

describe('days', () => {
  it.each([
    ['2022-02-03T04:59:59Z', 'America/New_York', '2022-02-02'],
    ['2022-02-03T04:59:59Z', 'UTC', '2022-02-03'],
    ['2022-02-03T04:59:59.5+02:00', 'UTC', '2022-02-03'],
    ['2022-12-31T23:30:00Z', 'Asia/Kolkata', '2023-01-01'],
    ['2022-02-03', 'Asia/Kolkata', '2022-02-03'],
    ['2022-02-30', 'UTC', undefined],
    ['2022-13-01T00:00:00Z', 'UTC', undefined],
    ['3 February 2022', 'UTC', undefined],
    ['', 'UTC', undefined],
  ])('%s in %s is %s', (value, zone, expected) => {
    expect(dayOf(value, zone)).toBe(expected)
  })

  it('are counted and written in words', () => {
    expect(daysFrom('2022-02-27', '2022-03-01')).toBe(2)
    expect(daysFrom('2022-03-01', '2022-02-27')).toBe(-2)
    expect(longDate('2022-02-03')).toBe('3 February 2022')
  })
})
