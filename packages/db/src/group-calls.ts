import { isAlmanacError } from '@almanac/domain'
import { gaveWay } from './database-failure.ts'

interface Waiting<I, O> {
  item: I
  resolve(answer: O): void
  reject(error: unknown): void
}

/** How much goes into one batch. */
interface GroupLimits<I> {
  /** Items; 64 unless told. */
  max?: number
  /** What an item weighs, and how much a batch of several may weigh. */
  weigh?(item: I): number
  mostWeight?: number
}

/**
 * Makes one statement out of the calls of concurrent jobs: a batch is sent when the one before has
 * come back, without any timer, so that a lone call waits for nothing and a crowd shares round trips.
 * `flush` answers in the order of its items, all or nothing.
 *
 *   gave way (deadlock, serialization)   the whole batch is sent again
 *   connection lost                      all are rejected: nobody knows whether it counted
 *   anything else                        each is sent alone, so that only the culprit is rejected
 */
export function groupCalls<I, O>(
  flush: (items: readonly I[]) => Promise<readonly O[]>,
  { max = 64, weigh, mostWeight = Infinity }: GroupLimits<I> = {},
): (item: I) => Promise<O> {
  const waiting: Waiting<I, O>[] = []
  let flushing = false

  /** The next batch: one at least, however much it weighs. */
  const next = (): Waiting<I, O>[] => {
    let [count, weight] = [0, 0]
    for (const { item } of waiting) {
      weight += weigh?.(item) ?? 0
      if (count === max || (count > 0 && weight > mostWeight)) break
      count += 1
    }
    return waiting.splice(0, count)
  }

  const drain = async () => {
    while (waiting.length > 0) await send(next())
    flushing = false
  }

  const send = async (batch: readonly Waiting<I, O>[]): Promise<void> => {
    try {
      const answers = await persist(() => flush(batch.map(({ item }) => item)))
      batch.forEach(({ resolve, reject }, i) => {
        if (i < answers.length) resolve(answers[i] as O)
        else reject(new Error(`${batch.length} calls were sent, ${answers.length} answered`))
      })
    } catch (error) {
      if (batch.length > 1 && !isAlmanacError(error, 'DATABASE_UNREACHABLE'))
        for (const one of batch) await send([one])
      else for (const { reject } of batch) reject(error)
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (flushing) return
      flushing = true
      // Not at once: calls of the same turn of the event loop go together.
      setImmediate(() => void drain())
    })
}

const mostTries = 5

/** Calls again while the database makes it give way to another transaction. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === mostTries || !gaveWay(error)) throw error
    }
  }
}
