import { describe, expect, it } from 'vitest'
import { localTime, shortDate, windowText } from './local-date.ts'

describe('windowText', () => {
  it.each([
    ['2022-03-07T05:00:00Z', '2022-03-14T04:00:00Z', 'America/New_York', '7–13 March 2022'],
    ['2022-02-28T00:00:00Z', '2022-03-07T00:00:00Z', 'UTC', '28 February – 6 March 2022'],
    ['2021-12-27T00:00:00Z', '2022-01-03T00:00:00Z', 'UTC', '27 December 2021 – 2 January 2022'],
    ['2022-03-01T05:00:00Z', '2022-04-01T04:00:00Z', 'America/New_York', 'March 2022'],
    ['2022-03-07T05:00:00Z', '2022-03-08T05:00:00Z', 'America/New_York', '7 March 2022'],
    ['2022-03-01T00:00:00Z', '2022-03-02T00:00:00Z', 'UTC', '1 March 2022'],
    [
      '2022-03-07T09:30:00Z',
      '2022-03-14T09:30:00Z',
      'UTC',
      '7 March 2022, 09:30 – 14 March 2022, 09:30',
    ],
  ])('%s to %s in %s is %s', (from, to, zone, text) => {
    expect(windowText(from, to, zone)).toBe(text)
  })
})

describe('local time', () => {
  it('is that of the zone, on both sides of midnight and of a change of clocks', () => {
    expect(shortDate('2022-02-03T04:59:59Z', 'America/New_York')).toBe('2 Feb 2022')
    expect(shortDate('2022-02-03T04:59:59Z', 'UTC')).toBe('3 Feb 2022')
    expect(shortDate('2022-02-03T23:00:00Z', 'Pacific/Kiritimati')).toBe('4 Feb 2022')
    expect(localTime('2022-03-13T06:59:00Z', 'America/New_York')).toMatchObject({ hour: 1 })
    expect(localTime('2022-03-13T07:00:00Z', 'America/New_York')).toMatchObject({ hour: 3 })
    expect(localTime('2022-03-13T00:00:00Z', 'UTC')).toMatchObject({ hour: 0, minute: 0 })
  })

  it('stays right when more instants are asked for than are remembered', () => {
    for (let i = 0; i < 4_100; i += 1) localTime(i * 60_000, 'UTC')
    expect(localTime(61 * 60_000, 'UTC')).toEqual({
      year: 1970,
      month: 1,
      day: 1,
      hour: 1,
      minute: 1,
    })
  })
})
