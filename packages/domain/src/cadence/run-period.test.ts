import { expect, test } from 'vitest'
import { nextEligible, periodFor } from './run-period.ts'

const newYork = { cadence: 'weekly', coverage: 'closed', timeZone: 'America/New_York' } as const
const createdAt = '2022-03-14T04:00:00Z'
const asked = { period: null, createdAt, lookBackDays: 7, now: new Date(createdAt) }

test('a closed run takes the last complete period, or an earlier one that it names', () => {
  expect(periodFor(newYork, asked)).toEqual({
    periodKey: '2022-W10',
    from: '2022-03-07T05:00:00Z',
    to: '2022-03-14T04:00:00Z',
  })
  expect(periodFor(newYork, { ...asked, period: '2022-W01' }).to).toBe('2022-01-10T05:00:00Z')
})

test('a closed period that is not over is refused with the instant of its end', () => {
  expect(() => periodFor(newYork, { ...asked, period: '2022-W11' })).toThrow(
    'Period 2022-W11 ends at 2022-03-21T04:00:00Z (America/New_York)',
  )
  const early = { ...asked, period: '2022-W10', now: new Date('2022-03-14T03:59:59.999Z') }
  expect(() => periodFor(newYork, early)).toThrow('ends at 2022-03-14T04:00:00Z')
})

test('a rolling run takes the present period and no other', () => {
  const rolling = { ...newYork, coverage: 'rolling' } as const
  const window = { from: '2022-03-07T05:00:00Z', to: createdAt }
  expect(periodFor(rolling, asked)).toEqual({ periodKey: '2022-W11', ...window })
  expect(periodFor(rolling, { ...asked, period: '2022-W11' }).periodKey).toBe('2022-W11')
  expect(() => periodFor(rolling, { ...asked, period: '2022-W10' })).toThrow(
    'a rolling specification runs the present period, 2022-W11',
  )
})

test('an on-demand run has no period, and none is next', () => {
  const onDemand = { ...newYork, cadence: 'on_demand' } as const
  expect(periodFor(onDemand, asked)).toEqual({
    periodKey: null,
    from: '2022-03-07T05:00:00Z',
    to: createdAt,
  })
  expect(() => periodFor(onDemand, { ...asked, period: '2022-W10' })).toThrow('has no periods')
  expect(() => nextEligible(onDemand, '2022-W10')).toThrow('has no periods')
})

test('a key of another cadence is refused before anything else', () => {
  expect(() => periodFor(newYork, { ...asked, period: '2022-03' })).toThrow(
    'a weekly specification takes ISO weeks',
  )
  expect(nextEligible(newYork, '2022-W10')).toBe('2022-03-21T04:00:00Z')
})
