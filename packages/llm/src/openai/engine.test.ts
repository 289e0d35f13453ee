import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completed, delta } from '../testing/openai-answers.ts'
import { now, price, request, startEndpoint, type Endpoint } from '../testing/openai-endpoint.ts'
import { events, stream, type WireServer } from '../testing/wire-server.ts'
import { sentBody } from './request-body.ts'

let endpoint: Endpoint
let server: WireServer
beforeAll(async () => {
  endpoint = await startEndpoint()
  server = endpoint.server
})
afterAll(() => server.close())

const never = new AbortController().signal

describe('a request', () => {
  it('is sent once, with the bytes of the body and the tier', async () => {
    server.answer((out) => stream(out, events(completed())))
    const engine = endpoint.engineWith({ parameters: { reasoningEffort: 'low' } })
    const body = engine.body(request)
    await engine.generate(request, body, never)
    const [sent, ...more] = server.received
    expect(more).toEqual([])
    expect(sent?.path).toBe('/v1/responses')
    expect(sent?.headers.authorization).toBe('Bearer sk-test')
    expect(sent?.body).toBe(sentBody(body, 'standard'))
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      service_tier: 'default',
      model: 'test-1',
      instructions: 'You report.',
      input: 'BEGIN DATA “ü” END DATA',
      max_output_tokens: 4_000,
      metadata: { callKey: 'draft:1' },
      reasoning: { effort: 'low' },
      store: false,
      stream: true,
      stream_options: { include_obfuscation: false },
      text: {
        format: { type: 'json_schema', name: 'document', strict: true, schema: request.jsonSchema },
      },
    })
  })

  it('has equal bytes for equal input, and a body without the tier', () => {
    const body = endpoint.engineWith().body(request)
    expect(endpoint.engineWith({ tier: 'flex' }).body(structuredClone(request))).toBe(body)
    expect(JSON.parse(body)).not.toHaveProperty('service_tier')
    expect(sentBody(body, 'flex')).toBe(`{"service_tier":"flex",${body.slice(1)}`)
    expect(sentBody(body, undefined)).toBe(body)
  })

  it('tells a model that charges for writing to its cache not to', () => {
    const engine = endpoint.engineWith({ prices: [{ ...price, cacheWrite: 1_250_000 }] })
    expect(JSON.parse(engine.body(request))).toHaveProperty('prompt_cache_options', {
      mode: 'explicit',
    })
  })

  it('goes to chat completions for compatible servers', async () => {
    server.answer((out) => stream(out, events('[DONE]')))
    await endpoint.ask({ api: 'chat', parameters: { describeSchema: true, temperature: 0 } })
    const [sent] = server.received
    expect(sent?.path).toBe('/v1/chat/completions')
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      model: 'test-1',
      messages: [
        { role: 'system', content: expect.stringMatching(/^You report\.\n\nAnswer with one JSON/) },
        { role: 'user', content: 'BEGIN DATA “ü” END DATA' },
      ],
      max_tokens: 4_000,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'document', strict: true, schema: request.jsonSchema },
      },
      store: false,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
    })
  })

  it('uses its connection again', async () => {
    server.answer((out) => stream(out, events(delta('{"a":1}'), completed())))
    const engine = endpoint.engineWith()
    const body = engine.body(request)
    await engine.generate(request, body, never)
    const before = server.sockets.size
    for (let i = 0; i < 5; i += 1) await engine.generate(request, body, never)
    expect(server.sockets.size).toBe(before)
  })
})

describe('money', () => {
  it('is estimated from what may come back, and priced from what was served', () => {
    const engine = endpoint.engineWith()
    const { microUsd, tokens } = engine.estimate(request, now)
    const input = tokens - 4_000
    expect(input).toBe(Math.ceil(Buffer.byteLength(engine.body(request)) / 2))
    expect(microUsd).toBe(input + 40_000)
    const used = { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 0, estimated: false }
    const cost = (model: string, tier: string) => engine.price(used, { model, tier }, now)
    expect(cost('test-1-2026-03-05', 'standard')).toBe(1_000)
    expect(cost('test-1', 'flex')).toBe(500)
    expect(cost('something-else', 'priority')).toBe(1_000)
  })

  it('is refused for a model without a price, and limits are checked', () => {
    expect(() => endpoint.engineWith({ model: 'test-2' })).toThrow(/"test-2"/)
    expect(() => endpoint.engineWith({ limits: { idleMs: 300_000 } })).toThrow(
      /limits\.idleMs.*300000/,
    )
  })
})
