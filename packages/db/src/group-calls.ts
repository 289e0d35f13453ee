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
  /** For crowds: a second batch while the first is under way. */
  beside?: {
    /** So many items have to wait. */
    crowd: number
    /** Items of one key are never under way in both. */
    keyOf(item: I): string
  }
}

/**
 * Makes one statement out of the calls of concurrent jobs: a batch is sent when the one before has
 * come back, without any timer, so that a lone call waits for nothing and a crowd shares round trips.
 * While a crowd waits, a second batch may be under way beside the first.
 * `flush` answers in the order of its items, all or nothing.
 *
 *   gave way (deadlock, serialization)   the whole batch is sent again
 *   connection lost                      all are rejected: nobody knows whether it counted
 *   anything else                        each is sent alone, so that only the culprit is rejected
 */
export function groupCalls<I, O>(
  flush: (items: readonly I[]) => Promise<readonly O[]>,
  { max = 64, weigh, mostWeight = Infinity, beside }: GroupLimits<I> = {},
): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = []
  let drains = 0
  const keysUnderWay = new Set<string>()

  /** The next batch, in the order of asking: one at least, however much it weighs. */
  const next = (): Waiting<I, O>[] => {
    const [batch, left]: [Waiting<I, O>[], Waiting<I, O>[]] = [[], []]
    let [weight, isFull] = [0, false]
    for (const one of waiting) {
      const isFree = !beside || !keysUnderWay.has(beside.keyOf(one.item))
      if (isFree && !isFull) {
        weight += weigh?.(one.item) ?? 0
        isFull = batch.length === max || (batch.length > 0 && weight > mostWeight)
      }
      if (isFree && !isFull) batch.push(one)
      else left.push(one)
    }
    waiting = left
    return batch
  }

  const isCrowd = () => beside !== undefined && waiting.length >= beside.crowd

  const drain = async () => {
    while (waiting.length > 0 && (drains === 1 || isCrowd())) {
      const batch = next()
      // Only what the other one has under way is left: it goes on when that has come back.
      if (batch.length === 0) break
      const keys = beside ? batch.map(({ item }) => beside.keyOf(item)) : []
      for (const key of keys) keysUnderWay.add(key)
      await send(batch)
      for (const key of keys) keysUnderWay.delete(key)
    }
    drains -= 1
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
      if (drains > 0 && !(drains === 1 && isCrowd())) return
      drains += 1
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
