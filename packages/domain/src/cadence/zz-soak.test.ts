import fc0 from 'fast-check'
fc0.configureGlobal({ numRuns: 20000 })
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  calendarWindow,
  dueAt,
  duePeriods,
  firstPeriodFrom,
  lastCompletePeriod,
  lookBackWindow,
  nextDue,
  nextEligibleInstant,
  nextPeriod,
  parsePeriodKey,
  periodAfter,
  periodOf,
  periodsBetween,
  previousPeriod,
  targetPeriod,
} from './index.ts'

const ms = (instant: string): number => Date.parse(instant)
const iso = (at: number): string => new Date(at).toISOString()

const hour = 3_600_000
const periodic = fc.constantFrom('daily' as const, 'weekly' as const, 'monthly' as const)
const covers = fc.constantFrom('closed' as const, 'rolling' as const)
const zones = fc.constantFrom('UTC', ...Intl.supportedValuesOf('timeZone'))
const instants = fc.integer({ min: ms('1973-01-01T00:00Z'), max: ms('2099-12-31T00:00Z') }).map(iso)

// Chance rarely meets the days on which clocks do what they should not.
const oddities = fc
  .tuple(
    fc.constantFrom(
      ['America/St_Johns', '2010-11-07T02:31:00Z'],
      ['Pacific/Apia', '2011-12-30T10:00:00Z'],
      ['Pacific/Kwajalein', '1993-08-21T12:00:00Z'],
      ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
      ['America/Havana', '2024-11-03T05:00:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
      ['Africa/Casablanca', '2025-02-23T02:00:00Z'],
      ['America/Scoresbysund', '2024-03-31T01:00:00Z'],
    ),
    fc.integer({ min: -36 * hour, max: 36 * hour }),
  )
  .map(([[zone = '', at = ''], shift]) => [zone, iso(ms(at) + shift)] as const)
const places = fc.oneof(fc.tuple(zones, instants), oddities)

const schedules = fc.record({
  cadence: periodic,
  coverage: covers,
  timeZone: zones,
  offsetMinutes: fc.integer({ min: 0, max: 40_320 }),
  spreadMinutes: fc.integer({ min: 0, max: 1_440 }),
  seed: fc.string(),
})

const formats = new Map<string, Intl.DateTimeFormat>()
/** The date on a zone's calendar by another way than Temporal. */
const dateIn = (timeZone: string, at: number): string => {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-CA', { timeZone })
  formats.set(timeZone, format)
  return format.format(at)
}

test('consecutive periods tile time, without gap or overlap', () => {
  fc.assert(
    fc.property(periodic, places, (cadence, [zone, instant]) => {
      const key = periodOf(cadence, instant, zone)
      const window = calendarWindow(cadence, key, zone)
      const before = calendarWindow(cadence, previousPeriod(cadence, key), zone)
      const after = calendarWindow(cadence, nextPeriod(cadence, key), zone)
      expect(before.to).toBe(window.from)
      expect(window.to).toBe(after.from)
      expect(ms(window.from)).toBeLessThan(ms(window.to))
    }),
    { numRuns: 500 * 20 },
  )
})

test('every instant lies in the window of its period', () => {
  fc.assert(
    fc.property(periodic, places, (cadence, [zone, instant]) => {
      const { from, to } = calendarWindow(cadence, periodOf(cadence, instant, zone), zone)
      expect(ms(from)).toBeLessThanOrEqual(ms(instant))
      expect(ms(instant)).toBeLessThan(ms(to))
    }),
    { numRuns: 500 * 20 },
  )
})

test('a day begins at the first instant that has its date', () => {
  fc.assert(
    fc.property(places, ([zone, instant]) => {
      const key = periodOf('daily', instant, zone)
      const from = ms(calendarWindow('daily', key, zone).from)
      expect(dateIn(zone, from)).toBe(key)
      expect(dateIn(zone, from - 1) < key).toBe(true)
    }),
    { numRuns: 500 * 20 },
  )
})

test('weeks begin on Mondays, months on firsts, and the days inside fill them', () => {
  fc.assert(
    fc.property(fc.constantFrom('weekly', 'monthly'), places, (cadence, [zone, instant]) => {
      const { from, to } = calendarWindow(cadence, periodOf(cadence, instant, zone), zone)
      const first = periodOf('daily', from, zone)
      const last = lastCompletePeriod('daily', to, zone)
      const days = periodsBetween('daily', first, last)
      expect(calendarWindow('daily', first, zone).from).toBe(from)
      expect(calendarWindow('daily', last, zone).to).toBe(to)
      if (cadence === 'monthly') expect(first.slice(8)).toBe('01')
      else expect([new Date(first).getUTCDay(), days.length]).toEqual([1, 7])
    }),
  )
})

test('keys sort as text, and next and previous undo each other', () => {
  fc.assert(
    fc.property(periodic, instants, (cadence, instant) => {
      const key = periodOf(cadence, instant, 'UTC')
      const next = nextPeriod(cadence, key)
      expect(parsePeriodKey(cadence, key)).toBe(key)
      expect(previousPeriod(cadence, next)).toBe(key)
      expect(nextPeriod(cadence, previousPeriod(cadence, key))).toBe(key)
      expect(key < next).toBe(true)
    }),
    { numRuns: 500 * 20 },
  )
})

test('the last complete period ends where the present one begins', () => {
  fc.assert(
    fc.property(periodic, places, (cadence, [zone, instant]) => {
      const complete = lastCompletePeriod(cadence, instant, zone)
      const present = periodOf(cadence, instant, zone)
      expect(periodAfter(cadence, complete, zone)).toBe(present)
      expect(calendarWindow(cadence, complete, zone).to).toBe(
        calendarWindow(cadence, present, zone).from,
      )
    }),
  )
})

test('at the next eligible instant, and no sooner, a run takes a later period', () => {
  fc.assert(
    fc.property(periodic, covers, places, (cadence, coverage, [timeZone, instant]) => {
      const at = (when: string) => targetPeriod({ cadence, coverage, timeZone, instant: when })
      const periodKey = at(instant)
      const eligible = nextEligibleInstant({ cadence, coverage, timeZone, periodKey })
      expect(ms(eligible)).toBeGreaterThan(ms(instant))
      expect(at(eligible) > periodKey).toBe(true)
      expect(at(iso(ms(eligible) - 1))).toBe(periodKey)
    }),
  )
})

test('the first period from an instant begins there or is the first to begin after it', () => {
  fc.assert(
    fc.property(periodic, places, (cadence, [zone, instant]) => {
      const key = firstPeriodFrom(cadence, instant, zone)
      const { from } = calendarWindow(cadence, key, zone)
      const earlier = calendarWindow(cadence, lastCompletePeriod(cadence, from, zone), zone)
      expect(ms(from)).toBeGreaterThanOrEqual(ms(instant))
      expect(ms(earlier.from)).toBeLessThan(ms(instant))
      expect(firstPeriodFrom(cadence, from, zone)).toBe(key)
    }),
  )
})

test('a look-back ends at its instant and begins on the date that many days earlier', () => {
  fc.assert(
    fc.property(zones, instants, fc.integer({ min: 1, max: 400 }), (zone, instant, days) => {
      const { from, to } = lookBackWindow(instant, days, zone)
      const date = iso(ms(dateIn(zone, ms(instant))) - days * 24 * hour).slice(0, 10)
      const day = calendarWindow('daily', date, zone)
      // On a shorter day the same time may not exist; the one after it can be the next day's.
      fc.pre(ms(day.to) - ms(day.from) >= 24 * hour)
      expect(ms(to)).toBe(ms(instant))
      expect(dateIn(zone, ms(from))).toBe(date)
    }),
  )
})

test('the share of the spread lies in it, and is the same for every period', () => {
  fc.assert(
    fc.property(schedules, instants, (schedule, instant) => {
      const { cadence, timeZone, coverage, offsetMinutes, spreadMinutes } = schedule
      const shares = [0, 1].map((count) => {
        let periodKey = periodOf(cadence, instant, timeZone)
        if (count === 1) periodKey = periodAfter(cadence, periodKey, timeZone)
        const { from, to } = calendarWindow(cadence, periodKey, timeZone)
        const base = ms(coverage === 'closed' ? to : from) + offsetMinutes * 60_000
        return ms(dueAt({ ...schedule, periodKey })) - base
      })
      expect(shares[0]).toBe(shares[1])
      expect(shares[0]).toBeGreaterThanOrEqual(0)
      expect(shares[0]).toBeLessThan(Math.max(1, spreadMinutes * 60_000))
    }),
  )
})

test('however a stretch of time is cut into ticks, every firing comes once and in order', () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 90 * 24 * hour }), { maxLength: 5 })
  fc.assert(
    fc.property(schedules, instants, cuts, (schedule, instant, parts) => {
      const marks = [0, ...parts, 90 * 24 * hour].sort((a, b) => a - b)
      const ends = marks.map((part) => iso(ms(instant) + part))
      const whole = duePeriods({ ...schedule, after: ends[0] ?? '', until: ends.at(-1) ?? '' })
      const ticks = ends.slice(1).flatMap((until, tick) => {
        return duePeriods({ ...schedule, after: ends[tick] ?? '', until })
      })
      expect(ticks).toEqual(whole)
      expect(whole.length).toBeGreaterThanOrEqual(schedule.cadence === 'daily' ? 89 : 2)

      let after = ends[0] ?? ''
      let lastPeriodKey: string | null = null
      for (const expected of whole.slice(0, 5)) {
        const next = nextDue({ ...schedule, after, lastPeriodKey })
        expect(next).toEqual(expected)
        after = next.dueAt
        lastPeriodKey = next.periodKey
      }
    }),
    { numRuns: 50 * 20 },
  )
})
