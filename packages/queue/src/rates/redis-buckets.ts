import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type {
  BucketAnswer,
  BucketEnding,
  Clock,
  KeyLimits,
  LimitedCall,
  RateBuckets,
} from '@almanac/pipeline'
import { Redis } from 'ioredis'

export interface RedisBucketsOptions {
  /** `redis://` or `rediss://`. */
  redisUrl: string
  /** The first part of every key; default `almanac`. All buckets share the slot `{PREFIX-rates}`. */
  prefix?: string
  /** Its time counts in place of the server's. */
  clock?: Clock
  onError(error: unknown): void
}

export interface RedisBuckets extends RateBuckets {
  close(): Promise<void>
}

const script = readFileSync(new URL('rate-buckets.lua', import.meta.url), 'utf8')
const digest = createHash('sha1').update(script).digest('hex')

/** Calls that one run of the script decides at most: it keeps the server to itself for that long. */
const most = 100

const units = ['requests', 'tokens']

/**
 * The rate buckets in Redis or Valkey. Calls of one turn of the event loop share a run of the script, and
 * several runs are under way at once. A server that is not there is an error at once: nothing waits.
 */
export function createRedisBuckets({
  redisUrl,
  prefix = 'almanac',
  clock,
  onError,
}: RedisBucketsOptions): RedisBuckets {
  const client = new Redis(redisUrl, {
    connectTimeout: 5_000,
    commandTimeout: 2_000,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
    connectionName: `${prefix}-rates`,
  })
  client.on('error', onError)
  let connecting: Promise<void> | undefined

  const run = async (keys: readonly string[], input: object): Promise<unknown> => {
    if (client.status === 'wait') connecting = client.connect()
    if (client.status !== 'ready') await connecting
    const full = keys.map((key) => `{${prefix}-rates}:${key}`)
    const argument = JSON.stringify(clock ? { now: clock.now().getTime(), ...input } : input)
    try {
      return await client.evalsha(digest, full.length, ...full, argument)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return client.eval(script, full.length, ...full, argument)
    }
  }

  const take = together<LimitedCall, BucketAnswer>(async (calls) => {
    const { keys, limits, indexOf } = keyTable(calls)
    const takes = calls.map((call) => [call.tokens, ...indexOf(call)])
    const [now, ...answers] = listOf(await run(keys, { limits, takes }))
    const takenAt = Number(now)
    return answers.map((answer) => {
      if (answer === 0) return { granted: true, takenAt }
      const [wait = NaN, key = 0, unit = 0] = listOf(answer).map(Number)
      if (!Number.isSafeInteger(wait)) throw unexpected(answer)
      const bucket = `${keys[key - 1] ?? ''} ${units[unit - 1] ?? ''}`
      return { granted: false, retryAfterMs: wait < 0 ? null : wait, bucket }
    })
  })
  const end = together<{ call: LimitedCall & { takenAt: number }; ending: BucketEnding }, true>(
    async (ended) => {
      const { keys, limits, indexOf } = keyTable(ended.map(({ call }) => call))
      const endings = ended.map(({ call, ending }) => {
        const { closeMs, pressure, back, left } = ending
        return {
          keys: indexOf(call),
          takenAt: call.takenAt,
          back,
          left,
          ...(pressure === null ? {} : { pressure }),
          ...(closeMs === null ? {} : { closeMs }),
        }
      })
      await run(keys, { limits, endings })
      return ended.map(() => true)
    },
  )

  return {
    take,
    async end(call, ending) {
      await end({ call, ending })
    },
    async room(asked) {
      const { keys, limits } = keyTable([{ limits: asked }])
      const answers = listOf(await run(keys, { limits }))
      return new Set(keys.filter((_, i) => answers[i] === 1))
    },
    close: async () => {
      if (client.status === 'ready') await client.quit().catch(() => undefined)
      client.disconnect()
    },
  }
}

function listOf(reply: unknown): unknown[] {
  if (Array.isArray(reply)) return reply
  throw unexpected(reply)
}

const unexpected = (reply: unknown): Error =>
  new Error(`the rate buckets answered ${JSON.stringify(reply)}`)

/** The keys of calls, each once, with what the script is told of them. */
function keyTable(calls: readonly { limits: readonly KeyLimits[] }[]) {
  const places = new Map<string, number>()
  const limits: (number | null)[][] = []
  for (const { limits: own } of calls)
    for (const { key, requests, tokens } of own) {
      if (places.has(key)) continue
      limits.push([requests, tokens, key.startsWith('provider:') ? 1 : 0])
      places.set(key, limits.length)
    }
  const indexOf = ({ limits: own }: LimitedCall) => own.map(({ key }) => places.get(key) ?? 0)
  return { keys: [...places.keys()], limits, indexOf }
}

/** Answers the calls of one turn of the event loop together, in their order. */
function together<I, O>(
  flush: (items: readonly I[]) => Promise<readonly O[]>,
): (item: I) => Promise<O> {
  let waiting: { item: I; resolve(answer: O): void; reject(error: unknown): void }[] = []
  const send = () => {
    const batches = waiting
    waiting = []
    for (let i = 0; i < batches.length; i += most) {
      const batch = batches.slice(i, i + most)
      flush(batch.map(({ item }) => item)).then(
        (answers) => {
          batch.forEach(({ resolve }, n) => {
            resolve(answers[n] as O)
          })
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error)
        },
      )
    }
  }
  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(send)
      waiting.push({ item, resolve, reject })
    })
}
