import { describe, expect, test } from 'vitest'
import { parse } from '../parse.ts'
import { cadence, coverage, isPeriodic } from './cadence.ts'
import {
  firstPeriodFrom,
  lastCompletePeriod,
  nextEligibleInstant,
  periodAfter,
  targetPeriod,
} from './period.ts'
import { windowOf } from './window.ts'

// A run that names no period, created at the instant, with a look-back of 7 days. The values were
// worked out by hand from calendars and the zones' rules, and agree with the C library's zones.
const table = `
# The turn of a year
#instant                  cadence coverage zone                key         from                  to                    next eligible
2026-01-01T00:00:00Z      daily   closed   UTC                 2025-12-31  2025-12-31T00:00:00Z  2026-01-01T00:00:00Z  2026-01-02T00:00:00Z
2026-01-01T04:59:59.999Z  daily   closed   America/New_York    2025-12-30  2025-12-30T05:00:00Z  2025-12-31T05:00:00Z  2026-01-01T05:00:00Z
2026-01-01T05:00:00Z      daily   closed   America/New_York    2025-12-31  2025-12-31T05:00:00Z  2026-01-01T05:00:00Z  2026-01-02T05:00:00Z
2026-01-01T05:00:00Z      daily   rolling  America/New_York    2026-01-01  2025-12-25T05:00:00Z  2026-01-01T05:00:00Z  2026-01-02T05:00:00Z
2026-01-01T04:59:59Z      monthly closed   America/New_York    2025-11     2025-11-01T04:00:00Z  2025-12-01T05:00:00Z  2026-01-01T05:00:00Z
2026-01-01T05:00:00Z      monthly closed   America/New_York    2025-12     2025-12-01T05:00:00Z  2026-01-01T05:00:00Z  2026-02-01T05:00:00Z
2026-01-01T04:59:59Z      monthly rolling  America/New_York    2025-12     2025-12-25T04:59:59Z  2026-01-01T04:59:59Z  2026-01-01T05:00:00Z
2026-01-01T05:00:00Z      monthly rolling  America/New_York    2026-01     2025-12-25T05:00:00Z  2026-01-01T05:00:00Z  2026-02-01T05:00:00Z

# ISO weeks belong to the year of their Thursday
2019-12-29T23:59:59Z      weekly  rolling  UTC                 2019-W52    2019-12-22T23:59:59Z  2019-12-29T23:59:59Z  2019-12-30T00:00:00Z
2019-12-30T00:00:00Z      weekly  rolling  UTC                 2020-W01    2019-12-23T00:00:00Z  2019-12-30T00:00:00Z  2020-01-06T00:00:00Z
2020-01-06T00:00:00Z      weekly  closed   UTC                 2020-W01    2019-12-30T00:00:00Z  2020-01-06T00:00:00Z  2020-01-13T00:00:00Z
2021-01-03T23:59:59Z      weekly  closed   UTC                 2020-W52    2020-12-21T00:00:00Z  2020-12-28T00:00:00Z  2021-01-04T00:00:00Z
2021-01-03T23:59:59Z      weekly  rolling  UTC                 2020-W53    2020-12-27T23:59:59Z  2021-01-03T23:59:59Z  2021-01-04T00:00:00Z
2021-01-04T00:00:00Z      weekly  closed   UTC                 2020-W53    2020-12-28T00:00:00Z  2021-01-04T00:00:00Z  2021-01-11T00:00:00Z
2021-01-04T00:00:00Z      weekly  rolling  UTC                 2021-W01    2020-12-28T00:00:00Z  2021-01-04T00:00:00Z  2021-01-11T00:00:00Z
2021-01-11T00:00:00Z      weekly  closed   UTC                 2021-W01    2021-01-04T00:00:00Z  2021-01-11T00:00:00Z  2021-01-18T00:00:00Z
2025-01-06T00:00:00Z      weekly  closed   UTC                 2025-W01    2024-12-30T00:00:00Z  2025-01-06T00:00:00Z  2025-01-13T00:00:00Z
2026-01-05T00:00:00Z      weekly  closed   UTC                 2026-W01    2025-12-29T00:00:00Z  2026-01-05T00:00:00Z  2026-01-12T00:00:00Z
2027-01-01T12:00:00Z      weekly  rolling  Europe/Berlin       2026-W53    2026-12-25T12:00:00Z  2027-01-01T12:00:00Z  2027-01-03T23:00:00Z
2027-01-04T04:59:59Z      weekly  closed   America/New_York    2026-W52    2026-12-21T05:00:00Z  2026-12-28T05:00:00Z  2027-01-04T05:00:00Z
2027-01-04T05:00:00Z      weekly  closed   America/New_York    2026-W53    2026-12-28T05:00:00Z  2027-01-04T05:00:00Z  2027-01-11T05:00:00Z
2027-01-11T05:00:00Z      weekly  closed   America/New_York    2027-W01    2027-01-04T05:00:00Z  2027-01-11T05:00:00Z  2027-01-18T05:00:00Z

# Months and leap years
2024-03-01T00:00:00Z      daily   closed   UTC                 2024-02-29  2024-02-29T00:00:00Z  2024-03-01T00:00:00Z  2024-03-02T00:00:00Z
2024-03-15T08:30:00Z      monthly closed   UTC                 2024-02     2024-02-01T00:00:00Z  2024-03-01T00:00:00Z  2024-04-01T00:00:00Z
2026-03-01T00:00:00Z      daily   closed   UTC                 2026-02-28  2026-02-28T00:00:00Z  2026-03-01T00:00:00Z  2026-03-02T00:00:00Z
2100-03-01T00:00:00Z      monthly closed   UTC                 2100-02     2100-02-01T00:00:00Z  2100-03-01T00:00:00Z  2100-04-01T00:00:00Z

# Clocks change in America/New_York: a day of 23 hours, a day of 25
2026-03-09T03:59:59Z      daily   closed   America/New_York    2026-03-07  2026-03-07T05:00:00Z  2026-03-08T05:00:00Z  2026-03-09T04:00:00Z
2026-03-09T04:00:00Z      daily   closed   America/New_York    2026-03-08  2026-03-08T05:00:00Z  2026-03-09T04:00:00Z  2026-03-10T04:00:00Z
2026-11-02T04:59:59Z      daily   closed   America/New_York    2026-10-31  2026-10-31T04:00:00Z  2026-11-01T04:00:00Z  2026-11-02T05:00:00Z
2026-11-02T05:00:00Z      daily   closed   America/New_York    2026-11-01  2026-11-01T04:00:00Z  2026-11-02T05:00:00Z  2026-11-03T05:00:00Z
2022-03-14T04:00:00Z      weekly  closed   America/New_York    2022-W10    2022-03-07T05:00:00Z  2022-03-14T04:00:00Z  2022-03-21T04:00:00Z
2022-03-14T07:00:00Z      weekly  closed   America/Los_Angeles 2022-W10    2022-03-07T08:00:00Z  2022-03-14T07:00:00Z  2022-03-21T07:00:00Z
2026-12-01T05:00:00Z      monthly closed   America/New_York    2026-11     2026-11-01T04:00:00Z  2026-12-01T05:00:00Z  2027-01-01T05:00:00Z
2026-11-21T10:41:27Z      weekly  closed   America/New_York    2026-W46    2026-11-09T05:00:00Z  2026-11-16T05:00:00Z  2026-11-23T05:00:00Z

# A look-back counts days of the zone: the same time on its clocks, or the nearest there is
2026-03-10T12:00:00Z      weekly  rolling  America/New_York    2026-W11    2026-03-03T13:00:00Z  2026-03-10T12:00:00Z  2026-03-16T04:00:00Z
2026-03-15T06:30:00Z      weekly  rolling  America/New_York    2026-W11    2026-03-08T07:30:00Z  2026-03-15T06:30:00Z  2026-03-16T04:00:00Z
2026-11-08T06:30:00Z      weekly  rolling  America/New_York    2026-W45    2026-11-01T05:30:00Z  2026-11-08T06:30:00Z  2026-11-09T05:00:00Z

# Clocks change in Europe/Berlin
2026-03-29T22:00:00Z      daily   closed   Europe/Berlin       2026-03-29  2026-03-28T23:00:00Z  2026-03-29T22:00:00Z  2026-03-30T22:00:00Z
2026-10-25T23:00:00Z      daily   closed   Europe/Berlin       2026-10-25  2026-10-24T22:00:00Z  2026-10-25T23:00:00Z  2026-10-26T23:00:00Z
2026-03-29T22:00:00Z      weekly  closed   Europe/Berlin       2026-W13    2026-03-22T23:00:00Z  2026-03-29T22:00:00Z  2026-04-05T22:00:00Z
2026-11-01T00:00:00Z      monthly closed   Europe/Berlin       2026-10     2026-09-30T22:00:00Z  2026-10-31T23:00:00Z  2026-11-30T23:00:00Z

# Midnight does not exist: the day begins at 01:00
2018-11-05T02:00:00Z      daily   closed   America/Sao_Paulo   2018-11-04  2018-11-04T03:00:00Z  2018-11-05T02:00:00Z  2018-11-06T02:00:00Z
2018-11-04T03:00:00Z      daily   closed   America/Sao_Paulo   2018-11-03  2018-11-03T03:00:00Z  2018-11-04T03:00:00Z  2018-11-05T02:00:00Z
2018-11-05T02:00:00Z      weekly  closed   America/Sao_Paulo   2018-W44    2018-10-29T03:00:00Z  2018-11-05T02:00:00Z  2018-11-12T02:00:00Z
2024-04-26T21:00:00Z      daily   closed   Africa/Cairo        2024-04-26  2024-04-25T22:00:00Z  2024-04-26T21:00:00Z  2024-04-27T21:00:00Z
2024-04-25T22:00:00Z      daily   rolling  Africa/Cairo        2024-04-26  2024-04-18T23:00:00Z  2024-04-25T22:00:00Z  2024-04-26T21:00:00Z
2024-03-31T21:00:00Z      daily   closed   Asia/Beirut         2024-03-31  2024-03-30T22:00:00Z  2024-03-31T21:00:00Z  2024-04-01T21:00:00Z
2024-03-31T21:00:00Z      monthly closed   Asia/Beirut         2024-03     2024-02-29T22:00:00Z  2024-03-31T21:00:00Z  2024-04-30T21:00:00Z
2024-03-11T04:00:00Z      daily   closed   America/Havana      2024-03-10  2024-03-10T05:00:00Z  2024-03-11T04:00:00Z  2024-03-12T04:00:00Z

# Clocks go back over or to midnight
2018-02-18T03:00:00Z      daily   closed   America/Sao_Paulo   2018-02-17  2018-02-17T02:00:00Z  2018-02-18T03:00:00Z  2018-02-19T03:00:00Z
2024-10-31T22:00:00Z      daily   closed   Africa/Cairo        2024-10-31  2024-10-30T21:00:00Z  2024-10-31T22:00:00Z  2024-11-01T22:00:00Z
2024-10-26T22:00:00Z      daily   closed   Asia/Beirut         2024-10-26  2024-10-25T21:00:00Z  2024-10-26T22:00:00Z  2024-10-27T22:00:00Z
2024-11-04T05:00:00Z      daily   closed   America/Havana      2024-11-03  2024-11-03T04:00:00Z  2024-11-04T05:00:00Z  2024-11-05T05:00:00Z
2010-11-07T02:30:00Z      daily   closed   America/St_Johns    2010-11-06  2010-11-06T02:30:00Z  2010-11-07T02:30:00Z  2010-11-08T03:30:00Z
2010-11-07T02:45:00Z      daily   closed   America/St_Johns    2010-11-06  2010-11-06T02:30:00Z  2010-11-07T02:30:00Z  2010-11-08T03:30:00Z

# Half an hour of daylight saving
2026-04-05T13:30:00Z      daily   closed   Australia/Lord_Howe 2026-04-05  2026-04-04T13:00:00Z  2026-04-05T13:30:00Z  2026-04-06T13:30:00Z
2026-10-04T13:00:00Z      daily   closed   Australia/Lord_Howe 2026-10-04  2026-10-03T13:30:00Z  2026-10-04T13:00:00Z  2026-10-05T13:00:00Z
2026-10-10T12:00:00Z      monthly closed   Australia/Lord_Howe 2026-09     2026-08-31T13:30:00Z  2026-09-30T13:30:00Z  2026-10-31T13:00:00Z

# Samoa went without 30 December 2011: that day has no time, and no run takes it
2011-12-30T09:59:59Z      daily   closed   Pacific/Apia        2011-12-28  2011-12-28T10:00:00Z  2011-12-29T10:00:00Z  2011-12-30T10:00:00Z
2011-12-30T10:00:00Z      daily   closed   Pacific/Apia        2011-12-29  2011-12-29T10:00:00Z  2011-12-30T10:00:00Z  2011-12-31T10:00:00Z
2011-12-30T09:59:59Z      daily   rolling  Pacific/Apia        2011-12-29  2011-12-23T09:59:59Z  2011-12-30T09:59:59Z  2011-12-30T10:00:00Z
2011-12-30T10:00:00Z      daily   rolling  Pacific/Apia        2011-12-31  2011-12-24T10:00:00Z  2011-12-30T10:00:00Z  2011-12-31T10:00:00Z
2012-01-01T10:00:00Z      weekly  closed   Pacific/Apia        2011-W52    2011-12-26T10:00:00Z  2012-01-01T10:00:00Z  2012-01-08T10:00:00Z
2011-12-31T10:00:00Z      monthly closed   Pacific/Apia        2011-12     2011-12-01T10:00:00Z  2011-12-31T10:00:00Z  2012-01-31T10:00:00Z

# Far and odd offsets
2026-01-01T18:15:00Z      daily   closed   Asia/Kathmandu      2026-01-01  2025-12-31T18:15:00Z  2026-01-01T18:15:00Z  2026-01-02T18:15:00Z
2026-01-01T18:14:59Z      daily   closed   Asia/Kathmandu      2025-12-31  2025-12-30T18:15:00Z  2025-12-31T18:15:00Z  2026-01-01T18:15:00Z
2025-12-31T18:15:00Z      monthly closed   Asia/Kathmandu      2025-12     2025-11-30T18:15:00Z  2025-12-31T18:15:00Z  2026-01-31T18:15:00Z
2025-12-31T10:00:00Z      daily   closed   Pacific/Kiritimati  2025-12-31  2025-12-30T10:00:00Z  2025-12-31T10:00:00Z  2026-01-01T10:00:00Z
2025-12-31T09:59:59Z      monthly closed   Pacific/Kiritimati  2025-11     2025-10-31T10:00:00Z  2025-11-30T10:00:00Z  2025-12-31T10:00:00Z
2025-12-31T10:00:00Z      monthly rolling  Pacific/Kiritimati  2026-01     2025-12-24T10:00:00Z  2025-12-31T10:00:00Z  2026-01-31T10:00:00Z
2021-01-03T10:00:00Z      weekly  closed   Pacific/Kiritimati  2020-W53    2020-12-27T10:00:00Z  2021-01-03T10:00:00Z  2021-01-10T10:00:00Z
2021-01-04T11:00:00Z      weekly  closed   Pacific/Pago_Pago   2020-W53    2020-12-28T11:00:00Z  2021-01-04T11:00:00Z  2021-01-11T11:00:00Z
`

const rows = table.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

describe('instant × cadence × coverage × zone', () => {
  test.each(rows.map((row) => row.split(/ +/)))(
    '%s %s %s %s',
    (instant = '', kind, covers, timeZone = '', periodKey = '', from, to, nextEligible) => {
      const [c, v] = [parse(cadence, kind), parse(coverage, covers)]
      if (!isPeriodic(c)) throw new Error('only periodic cadences stand in the table')
      const request = { cadence: c, coverage: v, timeZone, periodKey }
      const window = windowOf({ ...request, lookBackDays: 7, createdAt: instant })
      const found = {
        periodKey: targetPeriod({ ...request, instant }),
        window,
        nextEligible: nextEligibleInstant(request),
      }
      expect(found).toEqual({ periodKey, window: { periodKey, from, to }, nextEligible })
    },
  )
})

test('the period after one is the calendar’s next, except over a day that a zone skipped', () => {
  expect(periodAfter('daily', '2011-12-29', 'Pacific/Apia')).toBe('2011-12-31')
  expect(periodAfter('daily', '2011-12-29', 'Pacific/Pago_Pago')).toBe('2011-12-30')
  expect(periodAfter('weekly', '2020-W53', 'UTC')).toBe('2021-W01')
})

test('a new cadence or zone sets in with the first period that begins at or after an instant', () => {
  const covered = '2026-11-23T05:00:00Z'
  expect(firstPeriodFrom('daily', covered, 'America/New_York')).toBe('2026-11-23')
  expect(firstPeriodFrom('daily', covered, 'UTC')).toBe('2026-11-24')
  expect(firstPeriodFrom('daily', covered, 'America/Los_Angeles')).toBe('2026-11-23')
  expect(firstPeriodFrom('weekly', covered, 'Europe/Berlin')).toBe('2026-W49')
  expect(firstPeriodFrom('monthly', covered, 'America/New_York')).toBe('2026-12')
})

test('an instant may carry any offset and any fraction', () => {
  const zone = 'America/New_York'
  expect(lastCompletePeriod('daily', '2026-01-01T06:00:00+01:00', zone)).toBe('2025-12-31')
  expect(lastCompletePeriod('daily', '2026-01-01T04:59:59.999999Z', zone)).toBe('2025-12-30')
})
