import { newId } from '@almanac/domain/ids'
import type { Leases } from '@almanac/pipeline'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keepLease } from './lease-keeper.ts'
import { quietLog } from './testing/quiet-log.ts'

const worker = { id: newId('worker'), host: 'here', pid: 1, version: '0.0.0' }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Leases as the database keeps them, with answers that can be held back or fail. */
function leases() {
  const said: string[] = []
  const database = { aliveUntil: 0, answer: () => Promise.resolve() }
  const ports: Leases = {
    register: (_worker, ttlMs) => {
      said.push('register')
      database.aliveUntil = Date.now() + ttlMs
      return Promise.resolve()
    },
    renew: async (_id, ttlMs) => {
      await database.answer()
      const alive = database.aliveUntil > Date.now()
      if (alive) database.aliveUntil = Date.now() + ttlMs
      said.push(`renew ${alive}`)
      return alive
    },
    leave: () => {
      said.push('leave')
      return Promise.resolve()
    },
  }
  return { ports, said, database }
}

async function keep(ports: Leases) {
  const onLost = vi.fn()
  const keeper = await keepLease({ leases: ports, worker, log: quietLog(), onLost })
  return { keeper, onLost }
}

describe('a lease', () => {
  it('is renewed every two seconds, and given up at the end', async () => {
    const { ports, said } = leases()
    const { keeper, onLost } = await keep(ports)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(said).toEqual(['register', ...Array<string>(10).fill('renew true')])
    expect(keeper.leftMs).toBe(6_000)
    await keeper.stop()
    expect(said.at(-1)).toBe('leave')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(onLost).not.toHaveBeenCalled()
  })

  it('is lost when a renewal finds it expired; then it is not given up any more', async () => {
    const { ports, said, database } = leases()
    const { keeper, onLost } = await keep(ports)
    database.aliveUntil = 0
    await vi.advanceTimersByTimeAsync(2_000)
    expect(onLost).toHaveBeenCalledOnce()
    expect(keeper.leftMs).toBe(0)
    await keeper.stop()
    expect(said).toEqual(['register', 'renew false'])
  })

  it('survives failed renewals as long as it runs', async () => {
    const { ports, database } = leases()
    const { onLost } = await keep(ports)
    database.answer = () => Promise.reject(new Error('no database'))
    await vi.advanceTimersByTimeAsync(5_900)
    expect(onLost).not.toHaveBeenCalled()
    database.answer = () => Promise.resolve()
    database.aliveUntil = Date.now() + 10_000
    await vi.advanceTimersByTimeAsync(50)
    expect(onLost).not.toHaveBeenCalled()
  })

  it('is lost by the process’s own clock when no renewal comes through', async () => {
    const { ports, database } = leases()
    const { onLost } = await keep(ports)
    database.answer = () => new Promise(() => undefined)
    await vi.advanceTimersByTimeAsync(5_999)
    expect(onLost).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(onLost).toHaveBeenCalledOnce()
  })

  it('counts from before the renewal was sent, not from its answer', async () => {
    const { ports, database } = leases()
    const { keeper, onLost } = await keep(ports)
    database.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_500))
    }
    await vi.advanceTimersByTimeAsync(3_500)
    expect(keeper.leftMs).toBe(4_500)
    database.answer = () => new Promise(() => undefined)
    await vi.advanceTimersByTimeAsync(4_500)
    expect(onLost).toHaveBeenCalledOnce()
  })
})
