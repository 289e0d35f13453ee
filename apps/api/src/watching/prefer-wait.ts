import type { Request } from 'express'

/**
 * How many seconds the caller prefers to wait for the run's end (RFC 7240), at most `mostSeconds`;
 * undefined when it does not. A preference that cannot be read is passed over, as the RFC has it.
 */
export function preferredWait(request: Request, mostSeconds: number): number | undefined {
  const preferences = (request.get('prefer') ?? '').split(',')
  for (const preference of preferences) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(;.*)?$/i.exec(preference) ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), mostSeconds)
  }
  return undefined
}
