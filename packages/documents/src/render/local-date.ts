/** An instant's parts on the clock of a time zone; `month` is 1 to 12, `hour` 0 to 23. */
export interface LocalTime {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const formats = new Map<string, Intl.DateTimeFormat>()

/** A formatter whose numbers depend on nothing but its arguments: locale and calendar are fixed. */
function format(timeZone: string): Intl.DateTimeFormat {
  let known = formats.get(timeZone)
  if (!known) {
    known = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    formats.set(timeZone, known)
  }
  return known
}

const mostRemembered = 4_000
const remembered = new Map<string, LocalTime>()

/**
 * What the clock of `timeZone` (IANA) shows at `instant`, an ISO 8601 instant or milliseconds. A
 * document asks for the same few instants again and again, and the formatter is slow: answers are kept.
 */
export function localTime(instant: string | number, timeZone: string): Readonly<LocalTime> {
  const key = `${instant} ${timeZone}`
  const known = remembered.get(key)
  if (known) return known
  const time = { year: 0, month: 0, day: 0, hour: 0, minute: 0 }
  for (const { type, value } of format(timeZone).formatToParts(new Date(instant)))
    if (type in time) time[type as keyof LocalTime] = Number(value)
  if (remembered.size >= mostRemembered) remembered.clear()
  remembered.set(key, time)
  return time
}

const monthName = (month: number) => monthNames[month - 1] ?? ''

/** `8 Mar 2022`: the local date of an instant, as notes and tables show it. */
export function shortDate(instant: string, timeZone: string): string {
  const { year, month, day } = localTime(instant, timeZone)
  return `${day} ${monthName(month).slice(0, 3)} ${year}`
}

/**
 * The window [from, to) in words: `7–13 March 2022`, `28 February – 6 March 2022`, `March 2022`,
 * `8 March 2022`; with times of day where it does not begin and end at midnight.
 */
export function windowText(from: string, to: string, timeZone: string): string {
  const first = localTime(from, timeZone)
  const end = localTime(to, timeZone)
  if (!isMidnight(first) || !isMidnight(end))
    return `${dayText(first)}, ${clock(first)} – ${dayText(end)}, ${clock(end)}`
  const last = localTime(Date.parse(to) - 1, timeZone)
  if (first.year !== last.year) return `${dayText(first)} – ${dayText(last)}`
  if (first.month !== last.month) return `${first.day} ${monthName(first.month)} – ${dayText(last)}`
  if (first.day === 1 && end.day === 1) return `${monthName(first.month)} ${first.year}`
  if (first.day === last.day) return dayText(first)
  return `${first.day}–${dayText(last)}`
}

const isMidnight = ({ hour, minute }: LocalTime) => hour === 0 && minute === 0
const dayText = ({ year, month, day }: LocalTime) => `${day} ${monthName(month)} ${year}`
const clock = ({ hour, minute }: LocalTime) =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
