import type { BucketEnding, Clock, KeyLimits, LimitedCall, RateBuckets } from '@almanac/pipeline'
import { sql } from 'kysely'
import { groupCalls } from '../group-calls.ts'
import type { Database } from '../pool.ts'

interface TakeRow {
  wait_ms: number | null
  blocker: string | null
  taken_at: number
}

/** Calls that one statement decides at most: it holds the provider's row as long as it runs. */
const most = 64

/**
 * The rate buckets in Postgres, where there is no Redis. Calls of concurrent jobs are decided in one
 * statement, which locks their buckets in key order. With a `clock` its time counts, else the server's.
 */
export function createPostgresBuckets(
  db: Database,
  { clock }: { clock?: Clock } = {},
): RateBuckets {
  const now = () => clock?.now().getTime() ?? null
  const take = groupCalls(
    async (calls: readonly LimitedCall[]) => {
      const takes = calls.map(({ tokens, limits }) => ({ tokens, keys: keysOf(limits) }))
      return db.querySystem(
        'rates',
        sql<TakeRow>`select wait_ms, blocker, taken_at from take_rates(
          ${JSON.stringify(takes)}::jsonb, ${limitsJson(calls)}::jsonb, ${now()}::float8) order by n`,
      )
    },
    { max: most },
  )
  const end = groupCalls(
    async (
      endings: readonly { call: LimitedCall & { takenAt: number }; ending: BucketEnding }[],
    ) => {
      const rows = endings.map(({ call, ending: { back, left, pressure, closeMs } }) => ({
        keys: keysOf(call.limits),
        takenAt: call.takenAt,
        requests: back[0],
        tokens: back[1],
        leftRequests: left[0],
        leftTokens: left[1],
        pressure,
        closeMs,
      }))
      const limits = limitsJson(endings.map(({ call }) => call))
      await db.querySystem(
        'rates',
        sql`select end_rates(${JSON.stringify(rows)}::jsonb, ${limits}::jsonb, ${now()}::float8)`,
      )
      return endings
    },
    { max: most },
  )
  return {
    async take(call) {
      const { wait_ms, blocker, taken_at } = await take(call)
      if (wait_ms === 0) return { granted: true, takenAt: taken_at }
      const retryAfterMs = wait_ms === null ? null : Math.ceil(wait_ms)
      return { granted: false, retryAfterMs, bucket: blocker ?? '' }
    },
    async end(call, ending) {
      await end({ call, ending })
    },
    async room(limits) {
      const rows = await db.querySystem(
        'rates',
        sql<{ key: string }>`select key from rates_with_room(
          ${limitsJson([{ limits }])}::jsonb, ${now()}::float8) as key`,
      )
      return new Set(rows.map(({ key }) => key))
    },
  }
}

const keysOf = (limits: readonly KeyLimits[]): string[] => limits.map(({ key }) => key)

const limitsJson = (calls: readonly { limits: readonly KeyLimits[] }[]): string =>
  JSON.stringify(
    Object.fromEntries(
      calls.flatMap(({ limits }) =>
        limits.map(({ key, requests, tokens }) => [key, [requests, tokens]]),
      ),
    ),
  )
