import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createShutdown } from './shutdown.ts'

const never = new Promise<void>(() => undefined)

function setUp(options: { graceMs?: number; afterGraceMs?: number; echoMs?: number } = {}) {
  const host = Object.assign(new EventEmitter(), {
    exits: [] as number[],
    exit: (code: number) => void host.exits.push(code),
  })
  const logged: unknown[] = []
  const log = {
    info: () => undefined,
    warn: (fields: unknown) => void logged.push(fields),
  }
  const shutdown = createShutdown({ log, host, graceMs: 60_000, echoMs: 0, ...options })
  const order: string[] = []
  return { host, logged, shutdown, order }
}

describe('createShutdown', () => {
  it('runs its steps in reverse order, each waited for, and ends with 0', async () => {
    const { shutdown, order } = setUp()
    shutdown.onShutdown('postgres', () => void order.push('postgres'))
    shutdown.onShutdown('worker', async () => {
      await new Promise(setImmediate)
      order.push('worker')
    })
    shutdown.onShutdown('api', () => void order.push('api'))
    expect(shutdown.signal.aborted).toBe(false)
    const code = shutdown.begin('done')
    expect(shutdown.signal.aborted).toBe(true)
    expect(await code).toBe(0)
    expect(order).toEqual(['api', 'worker', 'postgres'])
  })

  it('runs them once, however often it is begun, and keeps the first exit code', async () => {
    const { shutdown, order } = setUp()
    shutdown.onShutdown('api', () => void order.push('api'))
    const codes = await Promise.all([shutdown.begin('lost its lease', 3), shutdown.begin('again')])
    expect([...codes, await shutdown.done]).toEqual([3, 3, 3])
    expect(order).toEqual(['api'])
  })

  it('goes on after a step that failed, and ends with 1', async () => {
    const { shutdown, order, logged } = setUp()
    const failure = new Error('no')
    shutdown.onShutdown('postgres', () => void order.push('postgres'))
    shutdown.onShutdown('worker', () => Promise.reject(failure))
    expect(await shutdown.begin('done')).toBe(1)
    expect(order).toEqual(['postgres'])
    expect(logged).toEqual([{ step: 'worker', err: failure }])
  })

  it('tells a step when the grace is over, and waits for it to give its work back', async () => {
    const { shutdown, order } = setUp({ graceMs: 1, afterGraceMs: 60_000 })
    shutdown.onShutdown('postgres', () => void order.push('postgres'))
    shutdown.onShutdown('worker', async (graceOver) => {
      await new Promise((resolve) => graceOver.addEventListener('abort', resolve))
      order.push('gave back')
    })
    expect(await shutdown.begin('done')).toBe(0)
    expect(order).toEqual(['gave back', 'postgres'])
  })

  it('leaves behind what does not end even then, but still runs the rest', async () => {
    const { shutdown, order, logged } = setUp({ graceMs: 1, afterGraceMs: 1 })
    shutdown.onShutdown('postgres', () => void order.push('postgres'))
    shutdown.onShutdown('worker', () => never)
    shutdown.onShutdown('api', () => never)
    expect(await shutdown.begin('done')).toBe(1)
    expect(order).toEqual(['postgres'])
    expect(logged).toEqual([{ step: 'api' }, { step: 'worker' }])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('begins at the first %s and exits at once at the second', (signal, code) => {
    const { shutdown, host } = setUp()
    shutdown.onShutdown('worker', () => never)
    shutdown.listen()
    host.emit(signal)
    expect(shutdown.signal.aborted).toBe(true)
    expect(host.exits).toEqual([])
    host.emit(signal)
    expect(host.exits).toEqual([code])
  })

  it('takes the echo of a signal for the same one', () => {
    const { shutdown, host } = setUp({ echoMs: 60_000 })
    shutdown.onShutdown('worker', () => never)
    shutdown.listen()
    host.emit('SIGINT')
    host.emit('SIGINT')
    expect(host.exits).toEqual([])
  })

  it('lets go of the signals when it is over', async () => {
    const { shutdown, host } = setUp()
    shutdown.listen()
    host.emit('SIGTERM')
    expect(await shutdown.done).toBe(0)
    await new Promise(setImmediate)
    expect(host.eventNames()).toEqual([])
  })
})
