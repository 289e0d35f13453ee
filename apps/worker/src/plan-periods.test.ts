import { specification, type SpecificationInput } from '@almanac/domain'
import { periodsBetween } from '@almanac/domain/cadence'
import { newId } from '@almanac/domain/ids'
import type { Scheduled } from '@almanac/pipeline'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planPeriods } from './plan-periods.ts'

type Given = Partial<SpecificationInput & { kind: 'workflow' }>
const ids = { tenantId: newId('tenant'), specificationId: newId('specification') }

const scheduled = (given: Given, known: Partial<Scheduled> = {}): Scheduled => ({
  ...ids,
  revision: 3,
  body: specification.parse({
    kind: 'workflow',
    name: 'n',
    title: 't',
    purpose: 'p',
    audience: 'a',
    style: 's',
    cadence: 'daily',
    timeZone: 'UTC',
    ...given,
  }),
  activatedAt: '2026-11-01T12:00:00Z',
  lastPeriodKey: null,
  ...known,
})

const plan = (now: string, given: Given, known: Partial<Scheduled> = {}) => {
  const { periods, nextDueAt } = planPeriods(scheduled(given, known), new Date(now))
  return {
    periods: periods.map(({ periodKey, action, reason }) =>
      [periodKey, action, reason].filter(Boolean).join(' '),
    ),
    nextDueAt,
  }
}

describe('planPeriods', () => {
  it('enters everything that a slot and its run need', () => {
    const given = { timeZone: 'America/New_York', cadence: 'weekly', offsetMinutes: 90 } as const
    const due = scheduled({ ...given, deadlineMinutes: 600 }, { lastPeriodKey: '2026-W45' })
    expect(planPeriods(due, new Date('2026-11-16T06:30:00Z'))).toEqual({
      periods: [
        {
          ...ids,
          revision: 3,
          periodKey: '2026-W46',
          cadence: 'weekly',
          from: '2026-11-09T05:00:00Z',
          to: '2026-11-16T05:00:00Z',
          dueAt: '2026-11-16T06:30:00Z',
          deadlineAt: '2026-11-16T16:30:00.000Z',
          timeZone: 'America/New_York',
          action: 'run',
          reason: null,
        },
      ],
      nextDueAt: '2026-11-23T06:30:00Z',
    })
  })

  it.each([
    ['on demand', { cadence: 'on_demand' }],
    ['manual', { schedule: 'manual' }],
  ] as const)('never fires what is %s', (_what, given) => {
    expect(plan('2026-11-21T00:00:00Z', given)).toEqual({ periods: [], nextDueAt: null })
  })

  it('fires nothing that was due before the activation', () => {
    const before = plan('2026-11-01T23:59:59Z', {})
    expect(before).toEqual({ periods: [], nextDueAt: '2026-11-02T00:00:00Z' })
    const first = plan('2026-11-02T00:00:00Z', {})
    expect(first).toEqual({ periods: ['2026-11-01 run'], nextDueAt: '2026-11-03T00:00:00Z' })
  })

  it('fires at the start of a rolling period', () => {
    const given = { coverage: 'rolling', offsetMinutes: 60 } as const
    const { periods, nextDueAt } = plan('2026-11-02T01:00:00Z', given)
    expect(periods).toEqual(['2026-11-02 run'])
    expect(nextDueAt).toBe('2026-11-03T01:00:00Z')
  })

  it('adds the same share of the spread every time', () => {
    const { nextDueAt } = plan('2026-11-21T00:00:00Z', { spreadMinutes: 60 })
    const share = Date.parse(nextDueAt ?? '') - Date.parse('2026-11-21T00:00:00Z')
    expect(share).toBeGreaterThanOrEqual(0)
    expect(share).toBeLessThan(3_600_000)
    const later = plan('2026-11-24T12:00:00Z', { spreadMinutes: 60 }).nextDueAt
    expect(Date.parse(later ?? '') - Date.parse('2026-11-25T00:00:00Z')).toBe(share)
  })

  describe('after an outage of three days', () => {
    const known = { lastPeriodKey: '2026-11-17' }
    const now = '2026-11-21T08:00:00Z'
    it.each([
      [
        'latest',
        10_080,
        ['2026-11-18 skip catch_up', '2026-11-19 skip catch_up', '2026-11-20 run late'],
      ],
      ['all', 10_080, ['2026-11-18 run late', '2026-11-19 run late', '2026-11-20 run late']],
      [
        'skip',
        10_080,
        ['2026-11-18 skip catch_up', '2026-11-19 skip catch_up', '2026-11-20 skip catch_up'],
      ],
      [
        'all',
        1_440,
        [
          '2026-11-18 skip deadline_passed',
          '2026-11-19 skip deadline_passed',
          '2026-11-20 run late',
        ],
      ],
      [
        'latest',
        60,
        [
          '2026-11-18 skip deadline_passed',
          '2026-11-19 skip deadline_passed',
          '2026-11-20 skip deadline_passed',
        ],
      ],
    ] as const)('%s, with a deadline of %i minutes', (catchUp, deadlineMinutes, expected) => {
      expect(plan(now, { catchUp, deadlineMinutes }, known)).toEqual({
        periods: expected,
        nextDueAt: '2026-11-22T00:00:00Z',
      })
    })
  })

  it('counts a quarter of an hour as punctual, so that a restart skips nothing', () => {
    const known = { lastPeriodKey: '2026-11-19' }
    const given = { catchUp: 'skip' } as const
    expect(plan('2026-11-21T00:15:00Z', given, known).periods).toEqual(['2026-11-20 run'])
    expect(plan('2026-11-21T00:15:01Z', given, known).periods).toEqual(['2026-11-20 skip catch_up'])
  })

  it('plans no period that the ledger knows, and waits for the one after it', () => {
    const known = { lastPeriodKey: '2026-11-20' }
    expect(plan('2026-11-21T06:00:00Z', { offsetMinutes: 300 }, known)).toEqual({
      periods: [],
      nextDueAt: '2026-11-22T05:00:00Z',
    })
    // Of a rolling specification the present period may have been made by hand before it was due.
    const rolling = { coverage: 'rolling', offsetMinutes: 600 } as const
    expect(plan('2026-11-21T06:00:00Z', rolling, { lastPeriodKey: '2026-11-21' })).toEqual({
      periods: [],
      nextDueAt: '2026-11-22T10:00:00Z',
    })
  })

  it.each([
    ['daily', '2026-W47', '2026-11-23', '2026-11-24T00:00:00Z'],
    ['weekly', '2026-11', '2026-W50', '2026-12-14T00:00:00Z'],
    ['monthly', '2026-11-20', '2026-12', '2027-01-01T00:00:00Z'],
  ] as const)('sets a %s cadence in where %s ends', (cadence, lastPeriodKey, first, due) => {
    const known = { lastPeriodKey, activatedAt: '2026-11-01T00:00:00Z' }
    const justBefore = new Date(Date.parse(due) - 1).toISOString()
    expect(plan(justBefore, { cadence }, known)).toEqual({ periods: [], nextDueAt: due })
    expect(plan(due, { cadence }, known).periods).toEqual([`${first} run`])
  })

  it('plans every period once, however often and whenever it is asked', () => {
    const day = 86_400_000
    fc.assert(
      fc.property(
        fc.record({
          cadence: fc.constantFrom('daily', 'weekly', 'monthly'),
          coverage: fc.constantFrom('closed', 'rolling'),
          timeZone: fc.constantFrom('UTC', 'America/New_York', 'Pacific/Auckland'),
          offsetMinutes: fc.integer({ min: 0, max: 3_000 }),
          spreadMinutes: fc.integer({ min: 0, max: 1_440 }),
          catchUp: fc.constantFrom('skip', 'latest', 'all'),
        }),
        fc.array(fc.integer({ min: 1, max: 40 * day }), { minLength: 1, maxLength: 12 }),
        (given, steps) => {
          const planned: string[] = []
          let now = Date.parse('2026-03-01T00:00:00Z')
          const activatedAt = new Date(now).toISOString()
          for (const step of steps) {
            now += step
            const known = { activatedAt, lastPeriodKey: planned.at(-1) ?? null }
            const { periods, nextDueAt } = planPeriods(scheduled(given, known), new Date(now))
            for (const { periodKey, dueAt } of periods) {
              expect(Date.parse(dueAt)).toBeLessThanOrEqual(now)
              planned.push(periodKey)
            }
            expect(Date.parse(nextDueAt ?? '')).toBeGreaterThan(now)
          }
          const [first, last] = [planned[0], planned.at(-1)]
          if (first && last) expect(planned).toEqual(periodsBetween(given.cadence, first, last))
        },
      ),
      { numRuns: 50 },
    )
  })
})
