/** A calendar day, `YYYY-MM-DD`; days compare as text. */
export type Day = string

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
]

const dayOnly = /^\d{4}-\d{2}-\d{2}$/
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

const formats = new Map<string, Intl.DateTimeFormat>()

// Locale, calendar, digits and zone are all said, so that the process's own settings do not matter.
function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    const options = { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', options)
    formats.set(timeZone, format)
  }
  return format
}

/**
 * The day that `value` names: itself where it is a day, the day in `timeZone` where it is an instant
 * (a period that ends at 04:59:59Z ends on the evening before in New York). Undefined for anything else.
 */
export function dayOf(value: string, timeZone: string): Day | undefined {
  if (dayOnly.test(value)) return isDay(value) ? value : undefined
  if (!instant.test(value)) return undefined
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return undefined
  const [month, day, year] = formatFor(timeZone).format(date).split('/')
  return `${year?.padStart(4, '0')}-${month}-${day}`
}

/** Dates roll over what a month does not have: 30 February would be 2 March. */
function isDay(value: string): boolean {
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

/** Days from `from` to `to`, negative when `to` is earlier; NaN when one is no day of the calendar. */
export function daysFrom(from: Day, to: Day): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000
}

/** A day as people write it: `3 February 2022`. */
export function longDate(day: Day): string {
  const [year, month, date] = day.split('-').map(Number)
  return `${date} ${months[(month ?? 1) - 1]} ${year}`
}
