import { z } from 'zod'
import { seededNumbers } from './seeded.ts'

/** How long an answer takes. By default it is there at once. */
export const latency = z.strictObject({
  /** Until the first byte. */
  firstByteMs: z.number().min(0).default(0),
  /** null: all tokens at once. */
  tokensPerSecond: z.number().positive().nullable().default(null),
  /** 0.2 makes both between 20 % less and 20 % more. */
  jitter: z.number().min(0).max(1).default(0),
  /** How many tokens one event of a stream carries. */
  tokensPerDelta: z.int().min(1).default(16),
})
export type Latency = z.output<typeof latency>

/** The times of one answer. */
export interface Pace {
  firstByteMs: number
  /** 0: at once. */
  msPerToken: number
  tokensPerDelta: number
}

/** An answer that is sent at once has no more events than this, however long it is. */
const mostEvents = 1_000

/** The pace of an answer of `tokens`, which the seed and the request alone decide. */
export function paceOf(
  { firstByteMs, tokensPerSecond, jitter, tokensPerDelta }: Latency,
  tokens: number,
  seed: string,
  requestHash: string,
): Pace {
  const numbers = seededNumbers(seed, 'latency', requestHash)
  const jittered = (ms: number) => ms * (1 + jitter * (2 * numbers.next() - 1))
  const isAtOnce = tokensPerSecond === null
  return {
    firstByteMs: jittered(firstByteMs),
    msPerToken: isAtOnce ? 0 : jittered(1000 / tokensPerSecond),
    tokensPerDelta: isAtOnce
      ? Math.max(tokensPerDelta, Math.ceil(tokens / mostEvents))
      : tokensPerDelta,
  }
}
