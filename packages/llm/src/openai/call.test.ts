import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completed, delta } from '../testing/openai-answers.ts'
import { startEndpoint, type Endpoint } from '../testing/openai-endpoint.ts'
import { events, stream, type WireServer } from '../testing/wire-server.ts'

let endpoint: Endpoint
let server: WireServer
beforeAll(async () => {
  endpoint = await startEndpoint()
  server = endpoint.server
})
afterAll(() => server.close())

describe('limits', () => {
  const head = { 'content-type': 'text/event-stream' }

  it('end a call without a first byte', async () => {
    server.answer(() => undefined)
    expect(await endpoint.ask({ limits: { firstByteMs: 50 } })).toEqual({
      kind: 'unknown',
      reason: 'timeout',
    })
    await server.received[0]?.closed
  })

  it('end an answer that falls silent', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      out.write(events(delta('{')))
    })
    expect(await endpoint.ask({ limits: { idleMs: 50 } })).toEqual({
      kind: 'unknown',
      reason: 'timeout',
    })
    await server.received[0]?.closed
  })

  it('end an answer that drips on and on', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      const dripping = setInterval(() => out.write(': still here\n\n'), 10)
      out.on('close', () => clearInterval(dripping))
    })
    const limits = { idleMs: 5_000, totalMs: 150 }
    expect(await endpoint.ask({ limits })).toEqual({ kind: 'unknown', reason: 'timeout' })
    await server.received[0]?.closed
  })

  it('cut an answer that is too large, whose usage is counted', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      for (let i = 0; i < 100; i += 1) out.write(events(delta('word '.repeat(100))))
    })
    const outcome = await endpoint.ask({ limits: { answerCharacters: 20_000 } })
    expect(outcome).toMatchObject({ kind: 'truncated', usage: { estimated: true } })
    const tokens = outcome.kind === 'truncated' ? outcome.usage.outputTokens : 0
    expect(tokens).toBeGreaterThan(3_000)
    await server.received[0]?.closed
  })

  it('cut a line that never ends', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      out.write(`data: "${'x'.repeat(3_000_000)}`)
    })
    const outcome = await endpoint.ask({ limits: { wireBytes: 1_000_000 } })
    expect(outcome).toMatchObject({ kind: 'truncated', usage: { outputTokens: 0 } })
    await server.received[0]?.closed
  })
})

describe('cancellation', () => {
  const reason = new Error('the lease is lost')

  it('sends nothing when it came first', async () => {
    server.answer((out) => stream(out, events(completed())))
    await expect(endpoint.ask({}, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(server.received).toEqual([])
  })

  it.each([
    ['before the first byte', () => undefined],
    [
      'mid-stream',
      (out: Parameters<typeof stream>[0]) => {
        out.writeHead(200, { 'content-type': 'text/event-stream' })
        out.write(events(delta('{')))
      },
    ],
  ])('%s rejects with its reason and closes the socket', async (_, answer) => {
    const controller = new AbortController()
    server.answer((out) => {
      answer(out)
      controller.abort(reason)
    })
    await expect(endpoint.ask({}, controller.signal)).rejects.toBe(reason)
    await server.received[0]?.closed
  })
})
