import { expect, test } from 'vitest'
import { calendarWindow, lookBackWindow, windowOf } from './window.ts'

const createdAt = '2026-03-10T12:00:00.250Z'
const request = { timeZone: 'America/New_York', lookBackDays: 7, createdAt }
const lastWeek = { from: '2026-03-03T13:00:00.25Z', to: '2026-03-10T12:00:00.25Z' }

test('a closed run covers its period, whenever it is made', () => {
  expect(
    windowOf({ ...request, cadence: 'weekly', coverage: 'closed', periodKey: '2022-W10' }),
  ).toEqual({ periodKey: '2022-W10', from: '2022-03-07T05:00:00Z', to: '2022-03-14T04:00:00Z' })
})

test('a rolling run covers the days before it is made, whatever its cadence', () => {
  for (const [cadence, periodKey] of [
    ['daily', '2026-03-10'],
    ['weekly', '2026-W11'],
    ['monthly', '2026-03'],
  ] as const)
    expect(windowOf({ ...request, cadence, coverage: 'rolling', periodKey })).toEqual({
      periodKey,
      ...lastWeek,
    })
})

test('an on-demand run has no key and looks back, whatever the coverage', () => {
  for (const coverage of ['closed', 'rolling'] as const)
    expect(windowOf({ ...request, cadence: 'on_demand', coverage, periodKey: null })).toEqual({
      periodKey: null,
      ...lastWeek,
    })
})

test('a key that does not fit the cadence is refused', () => {
  const run = { ...request, coverage: 'rolling' } as const
  expect(() => windowOf({ ...run, cadence: 'on_demand', periodKey: '2026-W11' })).toThrow(
    'The period "2026-W11" is not valid: an on-demand specification has no periods.',
  )
  expect(() => windowOf({ ...run, cadence: 'weekly', periodKey: null })).toThrow(
    'a weekly specification takes ISO weeks',
  )
  expect(() => windowOf({ ...run, cadence: 'weekly', periodKey: '2026-03' })).toThrow(
    'a weekly specification takes ISO weeks',
  )
})

test('a day that the zone skipped is an empty window', () => {
  expect(calendarWindow('daily', '2011-12-30', 'Pacific/Apia')).toEqual({
    periodKey: '2011-12-30',
    from: '2011-12-30T10:00:00Z',
    to: '2011-12-30T10:00:00Z',
  })
})

test('a look-back crosses changes of the clocks by days, not by hours', () => {
  expect(lookBackWindow('2012-01-02T00:00:00Z', 7, 'Pacific/Apia').from).toBe(
    '2011-12-27T00:00:00Z',
  )
  expect(lookBackWindow('2026-11-02T12:00:00Z', 1, 'America/New_York').from).toBe(
    '2026-11-01T12:00:00Z',
  )
  expect(lookBackWindow('2026-11-01T12:00:00Z', 1, 'America/New_York').from).toBe(
    '2026-10-31T11:00:00Z',
  )
})

test.each([0, -1, 1.5, Number.NaN])('a look-back of %d days is refused', (days) => {
  expect(() => lookBackWindow(createdAt, days, 'UTC')).toThrow('at least 1')
})
