import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  chatUsage,
  chunk,
  completed,
  delta,
  error,
  failedWith,
  message,
  response,
  said,
  stop,
  usage,
} from '../testing/openai-answers.ts'
import { startEndpoint, type Endpoint } from '../testing/openai-endpoint.ts'
import { events, reply, startWireServer, stream, type WireServer } from '../testing/wire-server.ts'

let endpoint: Endpoint
let server: WireServer
beforeAll(async () => {
  endpoint = await startEndpoint()
  server = endpoint.server
})
afterAll(() => server.close())

const served = { model: 'test-1-2026-03-05', tier: 'standard' }
const billed = { inputTokens: 120, cachedInputTokens: 100, outputTokens: 30, estimated: false }

/** What the server does, and what becomes of the call. */
type Row = [name: string, answer: (out: Parameters<typeof stream>[0]) => unknown, outcome: object]

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
    { kind: 'truncated', usage: billed, served, requestId: 'req_1' },
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
    { kind: 'filtered', usage: billed, served, requestId: 'req_1' },
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
    { kind: 'refused', usage: billed, served, requestId: 'req_1' },
  ],
  [
    'a failed answer',
    (out) => stream(out, events(delta('{'), failedWith('server_error'))),
    { kind: 'unknown', reason: 'server_error' },
  ],
  [
    'an answer failed by a policy',
    (out) => stream(out, events(failedWith('bio_policy'))),
    { kind: 'filtered', usage: { ...counted, outputTokens: 0 }, served },
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
    {
      kind: 'filtered',
      usage: { ...counted, outputTokens: 0 },
      served: { model: 'test-1', tier: 'standard' },
      requestId: 'req_1',
    },
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
    'an error in the form of another server',
    (out) =>
      reply(out, 400, { object: 'error', message: 'No.', type: 'BadRequestError', code: 400 }),
    { kind: 'misconfigured', status: 400, code: 'BadRequestError' },
  ],
  [
    'an error whose code is a sentence',
    (out) => reply(out, 404, error('There is no such thing here.\u0007', 'not found')),
    { kind: 'misconfigured', status: 404, code: 'status 404' },
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
    const found = await endpoint.ask()
    expect(found).toMatchObject(outcome)
    expect(found.kind).toBe('kind' in outcome ? outcome.kind : undefined)
    expect('retryAfterMs' in found).toBe('retryAfterMs' in outcome)
    expect(server.received).toHaveLength(1)
  })

  it('tells the want of flex capacity from a rate limit', async () => {
    server.answer((out) => reply(out, 429, error('resource_unavailable')))
    expect(await endpoint.ask({ tier: 'flex' })).toEqual({
      kind: 'not_billed',
      reason: 'flex_unavailable',
    })
    expect(await endpoint.ask()).toEqual({ kind: 'not_billed', reason: 'rate' })
  })

  it('counts nothing as billed that could not be sent', async () => {
    const none = await startWireServer()
    await none.close()
    expect(await endpoint.ask({ baseUrl: none.baseUrl })).toEqual({
      kind: 'not_billed',
      reason: 'overloaded',
    })
  })
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
    expect(await endpoint.ask({ api: 'chat' })).toMatchObject(outcome)
    expect(server.received).toHaveLength(1)
  })
})
