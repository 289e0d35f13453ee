import type { Leadership, LoopName } from '@almanac/pipeline'
import type { Database, DedicatedConnection } from './pool.ts'

export interface LeadershipTimes {
  /** After so long without a word from this process Postgres takes its leaderships away. */
  silenceMs?: number
  /** How often the process says that it is there. */
  beatMs?: number
}

/**
 * One leader for each loop: whoever holds its advisory lock. The locks belong to one connection of
 * this process; when that breaks, Postgres gives them to others and all its leaderships are lost.
 * A process that is frozen keeps its connection, so Postgres ends one that falls silent.
 */
export function createLeadership(
  db: Database,
  { silenceMs = 6_000, beatMs = 2_000 }: LeadershipTimes = {},
): Leadership {
  const led = new Set<LoopName>()
  let current: Promise<DedicatedConnection> | undefined

  const open = async (): Promise<DedicatedConnection> => {
    const opened = await db.dedicate('leadership')
    await opened.query(`set idle_session_timeout = ${silenceMs}`)
    const beat = setInterval(() => {
      // One that fails is over: `lost` says so.
      opened.query('select').catch(() => undefined)
    }, beatMs).unref()
    opened.lost.addEventListener('abort', () => {
      clearInterval(beat)
    })
    if (opened.lost.aborted) clearInterval(beat)
    return opened
  }
  const connection = async (): Promise<DedicatedConnection> => {
    const opened = (current ??= open())
    const forget = () => {
      if (current !== opened) return
      current = undefined
      led.clear()
    }
    try {
      const usable = await opened
      if (!usable.lost.aborted) return usable
    } catch (error) {
      forget()
      throw error
    }
    forget()
    return connection()
  }

  return {
    async lead(loop) {
      const { query, lost } = await connection()
      // The lock is the connection's, so a second claim in this process would succeed too.
      if (led.has(loop)) return undefined
      led.add(loop)
      const [row] = await query<{ won: boolean }>(
        `select pg_try_advisory_lock(hashtext('almanac.leader'), hashtext($1)) as won`,
        [loop],
      ).catch((error: unknown) => {
        led.delete(loop)
        throw error
      })
      if (!row?.won) {
        led.delete(loop)
        return undefined
      }
      return {
        lost,
        async release() {
          if (lost.aborted || !led.has(loop)) return
          await query(`select pg_advisory_unlock(hashtext('almanac.leader'), hashtext($1))`, [loop])
          led.delete(loop)
        },
      }
    },
  }
}
