import type { EngineRequest, Outcome } from '@almanac/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePackage } from '../testing/sample-package.ts'
import { events, reply, startWireServer, stream, type WireServer } from '../testing/wire-server.ts'
import type { PriceRow } from '../prices.ts'
import { createOpenAiEngine } from './engine.ts'
import { sentBody } from './request-body.ts'
import type { OpenAiOptions } from './settings.ts'

const price: PriceRow = {
  model: 'test-1',
  tier: 'standard',
  from: '2026-01-01T00:00:00Z',
  until: null,
  input: 1_000_000,
  cachedInput: 100_000,
  output: 10_000_000,
}
const prices = [price, { ...price, tier: 'flex' as const, input: 500_000, output: 5_000_000 }]
const now = new Date('2026-11-21T00:00:00Z')

let server: WireServer
beforeAll(async () => {
  server = await startWireServer()
})
afterAll(() => server.close())

const engineWith = (options: Partial<OpenAiOptions> = {}) =>
  createOpenAiEngine(now, {
    api: 'responses',
    model: 'test-1',
    apiKey: 'sk-test',
    baseUrl: server.baseUrl,
    prices,
    ...options,
  })

const request: EngineRequest = {
  package: samplePackage({ items: [] }),
  call: { kind: 'draft', n: 1, brief: 'Write.', inputHashes: [] },
  prompt: { instructions: 'You report.', input: 'BEGIN DATA “ü” END DATA' },
  jsonSchema: { type: 'object', properties: {}, required: [], additionalProperties: false },
  maxOutputTokens: 4_000,
}

const never = new AbortController().signal
const ask = (options?: Partial<OpenAiOptions>, signal = never): Promise<Outcome> => {
  const engine = engineWith(options)
  return engine.generate(request, engine.body(request), signal)
}

const usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100, cache_write_tokens: 0 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 150,
}
const response = (more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  model: 'test-1-2026-03-05',
  status: 'completed',
  service_tier: 'default',
  output: [message({ type: 'output_text', text: '{"a":1}', annotations: [] })],
  usage,
  incomplete_details: null,
  error: null,
  ...more,
})
const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content })
const delta = (text: string) => ({ type: 'response.output_text.delta', delta: text })
const completed = (more: object = {}) => ({ type: 'response.completed', response: response(more) })

const billed = { inputTokens: 120, cachedInputTokens: 100, outputTokens: 30, estimated: false }

describe('a request', () => {
  it('is sent once, with the bytes of the body and the tier', async () => {
    server.answer((out) => stream(out, events(completed())))
    const engine = engineWith({ parameters: { reasoningEffort: 'low' } })
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
    const body = engineWith().body(request)
    expect(engineWith({ tier: 'flex' }).body(structuredClone(request))).toBe(body)
    expect(JSON.parse(body)).not.toHaveProperty('service_tier')
    expect(sentBody(body, 'flex')).toBe(`{"service_tier":"flex",${body.slice(1)}`)
    expect(sentBody(body, undefined)).toBe(body)
  })

  it('tells a model that charges for writing to its cache not to', () => {
    const engine = engineWith({ prices: [{ ...price, cacheWrite: 1_250_000 }] })
    expect(JSON.parse(engine.body(request))).toHaveProperty('prompt_cache_options', {
      mode: 'explicit',
    })
  })

  it('goes to chat completions for compatible servers', async () => {
    server.answer((out) => stream(out, events('[DONE]')))
    await ask({ api: 'chat', parameters: { describeSchema: true, temperature: 0 } })
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
    const engine = engineWith()
    const body = engine.body(request)
    await engine.generate(request, body, never)
    const before = server.sockets.size
    for (let i = 0; i < 5; i += 1) await engine.generate(request, body, never)
    expect(server.sockets.size).toBe(before)
  })
})

describe('money', () => {
  it('is estimated from what may come back, and priced from what was served', () => {
    const engine = engineWith()
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
    expect(() => engineWith({ model: 'test-2' })).toThrow(/"test-2"/)
    expect(() => engineWith({ limits: { idleMs: 300_000 } })).toThrow(/limits\.idleMs.*300000/)
  })
})

/** What the server does, and what becomes of the call. */
type Row = [name: string, answer: (out: Parameters<typeof stream>[0]) => unknown, outcome: object]

const error = (code: string | null, type = 'some_error') => ({
  error: { code, type, message: 'No.', param: null },
})
const failedWith = (code: string) => ({
  type: 'response.failed',
  response: response({
    status: 'failed',
    output: [],
    usage: null,
    error: { code, message: 'No.' },
  }),
})
const counted = { cachedInputTokens: 0, estimated: true }

const responsesTable: Row[] = [
  [
    'a completed answer',
    (out) => stream(out, events({ type: 'response.created' }, delta('{"a"'), completed())),
    {
      kind: 'completed',
      output: { a: 1 },
      usage: billed,
      served: { model: 'test-1-2026-03-05', tier: 'standard' },
      requestId: 'req_1',
    },
  ],
  [
    'an answer after a comment',
    (out) =>
      stream(
        out,
        events(
          completed({
            output: [
              { ...message({ type: 'output_text', text: 'Let me see' }), phase: 'commentary' },
              { type: 'reasoning', summary: [] },
              message({ type: 'output_text', text: '{"b":' }, { type: 'output_text', text: '2}' }),
            ],
          }),
        ),
      ),
    { kind: 'completed', output: { b: 2 } },
  ],
  [
    'a last event without the text',
    (out) => stream(out, events(delta('{"a":'), delta('3}'), completed({ output: [] }))),
    { kind: 'completed', output: { a: 3 } },
  ],
  [
    'text that is no JSON',
    (out) =>
      stream(out, events(completed({ output: [message({ type: 'output_text', text: '{"a":' })] }))),
    { kind: 'completed', output: '{"a":', usage: billed },
  ],
  [
    'missing usage',
    (out) => stream(out, events(completed({ usage: undefined }))),
    {
      kind: 'completed',
      usage: { ...counted, outputTokens: 5, inputTokens: expect.toSatisfy((n) => n > 10) },
    },
  ],
  [
    'usage that cannot be',
    (out) => stream(out, events(completed({ usage: { ...usage, input_tokens: -1 } }))),
    { kind: 'completed', usage: { ...counted, outputTokens: 5 } },
  ],
  [
    'an answer that ends at its limit',
    (out) =>
      stream(
        out,
        events(delta('{"a'), {
          type: 'response.incomplete',
          response: response({
            status: 'incomplete',
            incomplete_details: { reason: 'max_output_tokens' },
          }),
        }),
      ),
    { kind: 'truncated', usage: billed, requestId: 'req_1' },
  ],
  [
    'an answer stopped by the content filter',
    (out) =>
      stream(
        out,
        events({
          type: 'response.incomplete',
          response: response({ incomplete_details: { reason: 'content_filter' } }),
        }),
      ),
    { kind: 'filtered', usage: billed, requestId: 'req_1' },
  ],
  [
    'a refusal',
    (out) =>
      stream(
        out,
        events(
          { type: 'response.refusal.delta', delta: 'I cannot' },
          completed({ output: [message({ type: 'refusal', refusal: 'I cannot.' })] }),
        ),
      ),
    { kind: 'refused', usage: billed, requestId: 'req_1' },
  ],
  [
    'a failed answer',
    (out) => stream(out, events(delta('{'), failedWith('server_error'))),
    { kind: 'unknown', reason: 'server_error' },
  ],
  [
    'an answer failed by a policy',
    (out) => stream(out, events(failedWith('bio_policy'))),
    { kind: 'filtered', usage: { ...counted, outputTokens: 0 } },
  ],
  [
    'an error inside the stream, before any text',
    (out) => stream(out, events({ type: 'error', ...error('rate_limit_exceeded') })),
    { kind: 'not_billed', reason: 'rate' },
  ],
  [
    'an error inside the stream, after some text',
    (out) => stream(out, events(delta('{'), { type: 'error', ...error('server_is_overloaded') })),
    { kind: 'unknown', reason: 'server_error' },
  ],
  [
    'a stream that ends without its last event',
    (out) => stream(out, events(delta('{"a":1}'))),
    { kind: 'unknown', reason: 'reset' },
  ],
  [
    'a stream that is reset',
    (out) => {
      out.writeHead(200, { 'content-type': 'text/event-stream' })
      out.write(events(delta('{"a":1}')), () => out.socket?.resetAndDestroy())
    },
    { kind: 'unknown', reason: 'reset' },
  ],
  [
    'a connection reset after the last event',
    (out) => {
      out.writeHead(200, { 'content-type': 'text/event-stream' })
      out.write(events(completed()), () => out.socket?.resetAndDestroy())
    },
    { kind: 'completed', output: { a: 1 } },
  ],
  [
    'a connection reset before the first byte',
    (out) => out.socket?.resetAndDestroy(),
    { kind: 'unknown', reason: 'reset' },
  ],
  [
    'an event that is no JSON',
    (out) => stream(out, 'data: {"type"\n\n'),
    { kind: 'unknown', reason: 'reset' },
  ],
  [
    'an answer that came whole',
    (out) => reply(out, 200, response()),
    { kind: 'completed', output: { a: 1 }, usage: billed },
  ],
  [
    'JSON that is no answer',
    (out) => reply(out, 200, { hello: 1 }),
    { kind: 'unknown', reason: 'reset' },
  ],
  [
    'a page of HTML',
    (out) => {
      out.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      out.end('<h1>Bad gateway</h1>')
    },
    { kind: 'misconfigured', status: 200, code: 'content type text/html' },
  ],
  [
    'a redirect',
    (out) => {
      out.writeHead(307, { location: 'http://127.0.0.1:1/v1/responses' })
      out.end()
    },
    { kind: 'misconfigured', status: 307, code: 'status 307' },
  ],
  ...[1, 61, 3_600].map((seconds): Row => [
    `429 with Retry-After ${seconds}`,
    (out) =>
      reply(out, 429, error('rate_limit_exceeded', 'requests'), { 'retry-after': String(seconds) }),
    { kind: 'not_billed', reason: 'rate', retryAfterMs: seconds * 1_000 },
  ]),
  [
    '429 without a time',
    (out) => reply(out, 429, error(null)),
    { kind: 'not_billed', reason: 'rate' },
  ],
  ...[
    'insufficient_quota',
    'credit_balance_exhausted',
    'project_spend_limit_exceeded',
    'organization_spend_limit_exceeded',
    'billing_not_active',
  ].map((code): Row => [
    `429 ${code}`,
    (out) => reply(out, 429, error(code), { 'retry-after': '1' }),
    { kind: 'billing_stop', code },
  ]),
  [
    '429 of the type insufficient_quota',
    (out) => reply(out, 429, error(null, 'insufficient_quota')),
    { kind: 'billing_stop', code: 'insufficient_quota' },
  ],
  ['402', (out) => reply(out, 402, {}), { kind: 'billing_stop', code: 'payment_required' }],
  ['408', (out) => reply(out, 408, {}), { kind: 'unknown', reason: 'timeout' }],
  [
    '500',
    (out) => reply(out, 500, error('server_error')),
    { kind: 'unknown', reason: 'server_error' },
  ],
  ['502', (out) => reply(out, 502, {}), { kind: 'unknown', reason: 'server_error' }],
  [
    '503 with Retry-After 2',
    (out) => reply(out, 503, error('server_is_overloaded'), { 'retry-after': '2' }),
    { kind: 'not_billed', reason: 'overloaded', retryAfterMs: 2_000 },
  ],
  ['503', (out) => reply(out, 503, {}), { kind: 'not_billed', reason: 'overloaded' }],
  [
    '400',
    (out) => reply(out, 400, error('context_length_exceeded')),
    { kind: 'misconfigured', status: 400, code: 'context_length_exceeded' },
  ],
  [
    '400 of the content filter',
    (out) => reply(out, 400, error('content_filter')),
    { kind: 'filtered', usage: { ...counted, outputTokens: 0 }, requestId: 'req_1' },
  ],
  [
    '401',
    (out) => reply(out, 401, error('invalid_api_key')),
    { kind: 'misconfigured', status: 401, code: 'invalid_api_key' },
  ],
  [
    '404',
    (out) => reply(out, 404, error('model_not_found')),
    { kind: 'misconfigured', status: 404, code: 'model_not_found' },
  ],
  [
    'an error of 50 MB',
    (out) => {
      out.writeHead(500, { 'content-type': 'text/plain' })
      out.write('x'.repeat(50_000_000))
      out.end()
    },
    { kind: 'unknown', reason: 'server_error' },
  ],
]

describe('the responses API', () => {
  it.each(responsesTable)('%s', async (_, answer, outcome) => {
    server.answer(answer)
    const found = await ask()
    expect(found).toMatchObject(outcome)
    expect(found.kind).toBe('kind' in outcome ? outcome.kind : undefined)
    expect('retryAfterMs' in found).toBe('retryAfterMs' in outcome)
    expect(server.received).toHaveLength(1)
  })

  it('tells the want of flex capacity from a rate limit', async () => {
    server.answer((out) => reply(out, 429, error('resource_unavailable')))
    expect(await ask({ tier: 'flex' })).toEqual({ kind: 'not_billed', reason: 'flex_unavailable' })
    expect(await ask()).toEqual({ kind: 'not_billed', reason: 'rate' })
  })

  it('counts nothing as billed that could not be sent', async () => {
    const none = await startWireServer()
    await none.close()
    expect(await ask({ baseUrl: none.baseUrl })).toEqual({
      kind: 'not_billed',
      reason: 'overloaded',
    })
  })
})

const chunk = (choice: object | undefined, more: object = {}) => ({
  id: 'chatcmpl_1',
  object: 'chat.completion.chunk',
  model: 'local-model',
  choices: choice ? [{ index: 0, delta: {}, finish_reason: null, ...choice }] : [],
  ...more,
})
const said = (content: string) => chunk({ delta: { content } })
const stop = chunk({ finish_reason: 'stop' })
const chatUsage = chunk(undefined, {
  usage: {
    prompt_tokens: 120,
    prompt_tokens_details: { cached_tokens: 100 },
    completion_tokens: 30,
  },
})

const chatTable: Row[] = [
  [
    'a completed answer',
    (out) => stream(out, events(said('{"a"'), said(':1}'), stop, chatUsage, '[DONE]')),
    {
      kind: 'completed',
      output: { a: 1 },
      usage: billed,
      served: { model: 'local-model', tier: 'standard' },
      requestId: 'req_1',
    },
  ],
  [
    'an answer fenced as Markdown, without usage',
    (out) => stream(out, events(said('```json\n{"a":1}\n```'), stop, '[DONE]')),
    { kind: 'completed', output: { a: 1 }, usage: counted },
  ],
  [
    'an answer at its limit',
    (out) =>
      stream(out, events(said('{"a'), chunk({ finish_reason: 'length' }), chatUsage, '[DONE]')),
    { kind: 'truncated', usage: billed },
  ],
  [
    'a filtered answer',
    (out) => stream(out, events(chunk({ finish_reason: 'content_filter' }), chatUsage)),
    { kind: 'filtered', usage: billed },
  ],
  [
    'a refusal',
    (out) => stream(out, events(chunk({ delta: { refusal: 'No.' } }), stop, chatUsage)),
    { kind: 'refused', usage: billed },
  ],
  [
    'an answer that came whole',
    (out) =>
      reply(out, 200, {
        model: 'local-model',
        choices: [{ index: 0, message: { content: '{"a":1}' }, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: 120,
          prompt_tokens_details: { cached_tokens: 100 },
          completion_tokens: 30,
        },
      }),
    { kind: 'completed', output: { a: 1 }, usage: billed },
  ],
  [
    'a stream cut off',
    (out) => stream(out, events(said('{"a":1}'))),
    { kind: 'unknown', reason: 'reset' },
  ],
]

describe('chat completions', () => {
  it.each(chatTable)('%s', async (_, answer, outcome) => {
    server.answer(answer)
    expect(await ask({ api: 'chat' })).toMatchObject(outcome)
    expect(server.received).toHaveLength(1)
  })
})

describe('limits', () => {
  const head = { 'content-type': 'text/event-stream' }

  it('end a call without a first byte', async () => {
    server.answer(() => undefined)
    expect(await ask({ limits: { firstByteMs: 50 } })).toEqual({
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
    expect(await ask({ limits: { idleMs: 50 } })).toEqual({ kind: 'unknown', reason: 'timeout' })
    await server.received[0]?.closed
  })

  it('end an answer that drips on and on', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      const dripping = setInterval(() => out.write(': still here\n\n'), 10)
      out.on('close', () => clearInterval(dripping))
    })
    const limits = { idleMs: 5_000, totalMs: 150 }
    expect(await ask({ limits })).toEqual({ kind: 'unknown', reason: 'timeout' })
    await server.received[0]?.closed
  })

  it('cut an answer that is too large, whose usage is counted', async () => {
    server.answer((out) => {
      out.writeHead(200, head)
      for (let i = 0; i < 100; i += 1) out.write(events(delta('word '.repeat(100))))
    })
    const outcome = await ask({ limits: { answerCharacters: 20_000 } })
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
    const outcome = await ask({ limits: { wireBytes: 1_000_000 } })
    expect(outcome).toMatchObject({ kind: 'truncated', usage: { outputTokens: 0 } })
    await server.received[0]?.closed
  })
})

describe('cancellation', () => {
  const reason = new Error('the lease is lost')

  it('sends nothing when it came first', async () => {
    server.answer((out) => stream(out, events(completed())))
    await expect(ask({}, AbortSignal.abort(reason))).rejects.toBe(reason)
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
    await expect(ask({}, controller.signal)).rejects.toBe(reason)
    await server.received[0]?.closed
  })
})

describe('the probe of an endpoint', () => {
  const text = (content: string, ...more: object[]) =>
    events(said(content), ...more, stop, '[DONE]')

  it('finds a server that does what it is asked', async () => {
    server.answer(
      (out) => stream(out, text('{"number":7}', chatUsage)),
      (out) =>
        stream(
          out,
          events(
            said('{"said":"one two'),
            chunk({ finish_reason: 'length' }),
            chunk(undefined, { usage: { prompt_tokens: 40, completion_tokens: 16 } }),
          ),
        ),
    )
    expect(await engineWith({ api: 'chat' }).probe(never)).toEqual({
      endpoint: server.baseUrl,
      api: 'chat',
      model: 'test-1',
      servedModel: 'local-model',
      schemaEnforced: true,
      usageReturned: true,
      limitHonoured: true,
      problems: [],
    })
  })

  it('finds a server that ignores what it is asked', async () => {
    server.answer(
      (out) => stream(out, text('hello')),
      (out) => stream(out, text('one two three four five six seven eight nine ten '.repeat(20))),
    )
    const found = await engineWith({ api: 'chat' }).probe(never)
    expect(found).toMatchObject({
      schemaEnforced: false,
      usageReturned: false,
      limitHonoured: false,
    })
    expect(found.problems).toHaveLength(3)
  })

  it('cannot tell from a server that is overloaded, and throws where it is turned away', async () => {
    server.answer((out) => reply(out, 503, {}))
    expect(await engineWith().probe(never)).toMatchObject({
      servedModel: null,
      schemaEnforced: null,
      usageReturned: null,
      limitHonoured: null,
      problems: [
        'The endpoint gave no answer (overloaded).',
        'The endpoint gave no answer (overloaded).',
      ],
    })
    server.answer((out) => reply(out, 401, error('invalid_api_key')))
    await expect(engineWith().probe(never)).rejects.toMatchObject({
      code: 'ENGINE_MISCONFIGURED',
      params: { status: 401, reason: 'invalid_api_key' },
    })
  })
})
