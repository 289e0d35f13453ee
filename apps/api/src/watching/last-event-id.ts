import { AlmanacError } from '@almanac/domain'

/** The sequence number after which a stream goes on. Throws INPUT_INVALID for what is none. */
export function readLastEventId(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const message = 'must be the sequence number of an event'
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'header.last-event-id', message, value: JSON.stringify(value).slice(0, 80) }],
  })
}
