import { sha256 } from '@almanac/domain/hash'
import type { EngineRequest } from '@almanac/pipeline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAiEmbeddingPrices } from '../price-rows.ts'
import { now, request as draft } from '../testing/openai-endpoint.ts'
import { events, reply, startWireServer, stream, type WireServer } from '../testing/wire-server.ts'
import { createOpenAiEmbedder } from './embedder.ts'
import { completed } from '../testing/openai-answers.ts'

let server: WireServer
beforeAll(async () => {
  server = await startWireServer()
})
afterAll(() => server.close())

const never = new AbortController().signal
const model = 'text-embedding-3-small'
const texts = ['Ports “reopen”.', 'Ports stay closed.']
const inputs = [JSON.stringify(texts)]
const request: EngineRequest = {
  ...draft,
  call: { kind: 'embed', n: 1, part: 'likeness', brief: '', inputHashes: inputs.map(sha256) },
  inputs,
  prompt: { instructions: '', input: '' },
  jsonSchema: {},
  maxOutputTokens: 0,
}
const embedder = (over: { limits?: { totalMs: number }; model?: string } = {}) =>
  createOpenAiEmbedder(
    { now },
    { model, apiKey: 'sk-test', baseUrl: server.baseUrl, prices: openAiEmbeddingPrices, ...over },
  )
const ask = (signal = never, by = embedder()) => by.generate(request, by.body(request), signal)

const answer = (data: unknown, more: object = {}) => ({
  ...{ object: 'list', data, model, usage: { prompt_tokens: 9, total_tokens: 9 } },
  ...more,
})
const floats = [
  { index: 1, embedding: [0.5, -1] },
  { index: 0, embedding: [0.25, 0] },
]
const base64 = (...values: number[]) =>
  Buffer.from(Float32Array.from(values).buffer).toString('base64')
const vectors = [base64(0.25, 0), base64(0.5, -1)]

describe('texts that are embedded', () => {
  it('are sent once, with the model, and with nothing of the run', async () => {
    server.answer((out) => reply(out, 200, answer(floats)))
    await ask()
    const [sent, ...more] = server.received
    expect(more).toEqual([])
    expect(sent).toMatchObject({ method: 'POST', path: '/v1/embeddings' })
    expect(sent?.headers.authorization).toBe('Bearer sk-test')
    expect(sent?.body).toBe(embedder().body(structuredClone(request)))
    expect(JSON.parse(sent?.body ?? '')).toEqual({ model, input: texts, encoding_format: 'float' })
  })

  it.each([
    ['in any order', floats],
    [
      'as base64, from servers that write nothing else',
      [
        { index: 0, embedding: vectors[0] },
        { index: 1, embedding: vectors[1] },
      ],
    ],
  ])('have their vectors in the order of the texts, %s', async (_, data) => {
    server.answer((out) => reply(out, 200, answer(data)))
    expect(await ask()).toEqual({
      kind: 'completed',
      output: { vectors },
      usage: { inputTokens: 9, cachedInputTokens: 0, outputTokens: 0, estimated: false },
      served: { model, tier: 'standard' },
      requestId: 'req_1',
    })
  })

  it.each([
    [
      'vectors of no texts',
      answer([
        { index: 0, embedding: [1] },
        { index: 2, embedding: [1] },
      ]),
    ],
    [
      'the same place twice',
      answer([
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ]),
    ],
    ['words for numbers', answer([{ index: 0, embedding: ['many'] }])],
    ['nothing', null],
  ])('are billed though the answer has %s, which is handed on as it came', async (_, whole) => {
    server.answer((out) => reply(out, 200, whole))
    expect(await ask()).toMatchObject({ kind: 'completed', output: whole })
  })

  it('are counted where the answer tells no usage', async () => {
    server.answer((out) => reply(out, 200, answer(floats, { usage: null })))
    const outcome = await ask()
    expect(outcome).toMatchObject({ usage: { estimated: true, outputTokens: 0 } })
    const { usage } = outcome as { usage: { inputTokens: number } }
    expect(usage.inputTokens).toBeGreaterThan(4)
    expect(usage.inputTokens).toBeLessThanOrEqual(embedder().estimate(request, now).tokens)
  })

  it('have no vectors when the provider turns them away, hangs, or answers in a stream', async () => {
    server.answer((out) => reply(out, 429, { error: { code: 'rate_limit_exceeded' } }))
    expect(await ask()).toMatchObject({ kind: 'not_billed', reason: 'rate' })
    server.answer((out) => reply(out, 401, { error: { code: 'invalid_api_key' } }))
    expect(await ask()).toMatchObject({ kind: 'misconfigured', status: 401 })
    server.answer((out) => stream(out, events(completed())))
    expect(await ask()).toEqual({ kind: 'unknown', reason: 'reset' })
    server.answer(() => undefined)
    const short = embedder({ limits: { totalMs: 50 } })
    expect(await ask(never, short)).toEqual({ kind: 'unknown', reason: 'timeout' })
  })

  it('are given up with the signal’s reason, and the socket closed', async () => {
    const controller = new AbortController()
    let closed: Promise<void> | undefined
    server.answer((_, received) => {
      closed = received.closed
      controller.abort(new Error('cancelled'))
    })
    await expect(ask(controller.signal)).rejects.toThrow('cancelled')
    await closed
  })
})

describe('what embedding costs', () => {
  it('is at most the estimate, exact to the micro-USD, by the model that served', () => {
    const { microUsd, tokens } = embedder().estimate(request, now)
    expect(tokens).toBe(Math.ceil(Buffer.byteLength(embedder().body(request)) / 2))
    expect(microUsd).toBe(Math.ceil((tokens * 20_000) / 1_000_000))
    const used = { cachedInputTokens: 0, outputTokens: 0, estimated: false }
    const cost = (inputTokens: number, served: string) =>
      embedder().price({ ...used, inputTokens }, { model: served, tier: 'standard' }, now)
    expect(cost(1_000_000, model)).toBe(20_000)
    expect(cost(1, model)).toBe(1)
    expect(cost(1_000_000, 'text-embedding-3-large')).toBe(130_000)
    expect(cost(1_000_000, 'unheard-of')).toBe(20_000)
  })

  it('is refused for a model that has no price among those that embed', () => {
    expect(() => embedder({ model: 'gpt-5-mini' })).toThrow(
      /priced are: text-embedding-3-small, .*"gpt-5-mini"/,
    )
  })

  it('is not asked for a call that names no texts', () => {
    expect(() => embedder().body({ ...request, inputs: [] })).toThrow(/inputs.*names none/)
    expect(() => embedder().body({ ...request, inputs: ['[""]'] })).toThrow(/inputs/)
  })
})
