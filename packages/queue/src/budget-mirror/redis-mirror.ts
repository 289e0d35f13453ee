import type { BudgetKey, BudgetState } from '@almanac/pipeline'
import { Redis } from 'ioredis'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface RedisMirrorOptions {
  /** `redis://` or `rediss://`. */
  redisUrl: string
  /** The first part of every key; default `almanac`. */
  prefix?: string
  /** Told of connections that break; the mirror goes on by itself. */
  onError(error: unknown): void
}

export interface RedisMirror {
  /** Notes budgets as soon as the server can be reached; nobody waits for it. */
  note(states: readonly BudgetState[]): void
  /** The version that is noted; undefined when there is none. */
  versionOf(budget: BudgetKey): Promise<number | undefined>
  close(): Promise<void>
}

/** Nobody asks for a budget that has not changed for so long. */
const keptMs = 600_000
/** Budgets that wait for a server that is not there; more are forgotten, their next commits bring them. */
const mostWaiting = 10_000

const script = readFileSync(new URL('note-budgets.lua', import.meta.url), 'utf8')
const digest = createHash('sha1').update(script).digest('hex')

/** A budget's name within its slot. */
export const keyOf = ({ tenantId, level, subject, period }: BudgetKey): string =>
  `${slotOf({ tenantId, subject })}:${level}:${subject}:${period}`

/** Budgets of a tenant share a slot, those of a provider another, so that one script may touch them. */
const slotOf = ({ tenantId, subject }: Pick<BudgetKey, 'tenantId' | 'subject'>): string =>
  `{budget-${tenantId ?? subject}}`

/** The mirror's notes in Redis or Valkey. */
export function createRedisMirror({
  redisUrl,
  prefix = 'almanac',
  onError,
}: RedisMirrorOptions): RedisMirror {
  const client = new Redis(redisUrl, {
    connectTimeout: 5_000,
    commandTimeout: 1_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
    connectionName: `${prefix}-budgets`,
  })
  client.on('error', onError)
  const full = (budget: BudgetKey) => `${prefix}:${keyOf(budget)}`
  // Of a budget that changes while notes are under way only its newest state is of use.
  const waiting = new Map<string, BudgetState>()
  let sending = false

  const wait = (state: BudgetState): void => {
    const known = waiting.get(keyOf(state))
    if (!known || known.version < state.version) waiting.set(keyOf(state), state)
  }

  const sendAll = async (): Promise<void> => {
    if (sending) return
    sending = true
    let batch: BudgetState[] = []
    try {
      while (waiting.size > 0 && client.status === 'ready') {
        batch = [...waiting.values()]
        waiting.clear()
        await Promise.all([...Map.groupBy(batch, slotOf).values()].map(sendSlot))
      }
    } catch (error) {
      if (waiting.size < mostWaiting) batch.forEach(wait)
      onError(error)
    } finally {
      sending = false
    }
  }

  const sendSlot = async (states: readonly BudgetState[]): Promise<void> => {
    const keys = states.map(full)
    const values = states.flatMap((state) => [
      state.version,
      state.heldMicroUsd,
      state.spentMicroUsd,
      state.heldTokens,
      state.spentTokens,
    ])
    try {
      await client.evalsha(digest, keys.length, ...keys, keptMs, ...values)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      await client.eval(script, keys.length, ...keys, keptMs, ...values)
    }
  }
  client.on('ready', () => void sendAll())

  return {
    note(states) {
      if (waiting.size < mostWaiting) states.forEach(wait)
      void sendAll()
    },
    async versionOf(budget) {
      const version = await client.hget(full(budget), 'version')
      return version === null ? undefined : Number(version)
    },
    close: async () => {
      if (client.status === 'ready') await client.quit().catch(() => undefined)
      client.disconnect()
    },
  }
}
