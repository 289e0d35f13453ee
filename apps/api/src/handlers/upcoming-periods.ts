import { isPeriodic, type SpecificationResource } from '@almanac/domain'
import { calendarWindow, nextDue, type Schedule } from '@almanac/domain/cadence'

const shown = 10

interface Upcoming {
  timeZone: string
  upcoming: { periodKey: string; from: string; to: string; dueAt: string }[]
}

/** The next firings of a specification's schedule; none when it does not fire by itself. */
export function upcomingPeriods({ id, body, nextDueAt }: SpecificationResource): Upcoming {
  const { cadence, coverage, timeZone, offsetMinutes, spreadMinutes } = body
  const upcoming: Upcoming['upcoming'] = []
  if (nextDueAt === null || !isPeriodic(cadence)) return { timeZone, upcoming }
  const schedule: Schedule = {
    cadence,
    coverage,
    timeZone,
    offsetMinutes,
    spreadMinutes,
    seed: id,
  }
  // The instant before the next firing: that one is the first.
  let after = new Date(Date.parse(nextDueAt) - 1).toISOString()
  let lastPeriodKey: string | null = null
  while (upcoming.length < shown) {
    const due = nextDue({ ...schedule, after, lastPeriodKey })
    const { from, to } = calendarWindow(cadence, due.periodKey, timeZone)
    upcoming.push({ ...due, from, to })
    after = due.dueAt
    lastPeriodKey = due.periodKey
  }
  return { timeZone, upcoming }
}
