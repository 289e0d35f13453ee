import { types } from 'pg'

const oids = { int8: 20, date: 1082 }

/**
 * How columns become values: bigint as number (a RangeError beyond 2^53, where a number would lie),
 * date as its text `2026-11-21` (a day has no instant), timestamptz as Date, jsonb as parsed JSON.
 */
export const columnTypes: typeof types = {
  getTypeParser(oid, format) {
    if (format !== 'binary' && oid === oids.int8) return safeInteger
    if (format !== 'binary' && oid === oids.date) return (text) => text
    return types.getTypeParser(oid, format)
  },
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is too large for a number`)
  return value
}
