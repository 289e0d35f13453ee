import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { chatReportRequest, model, play, reportRequest, type Playing } from './testing/client.ts'
import { countTokens } from './tokens.ts'

let playing: Playing
beforeAll(async () => {
  playing = await play({ keys: ['sk-simulated-1234'] })
})
afterAll(() => playing[Symbol.asyncDispose]())

const inputTokens =
  countTokens(reportRequest.instructions + reportRequest.input) +
  countTokens(JSON.stringify(reportRequest.text.format.schema))

describe('POST /v1/responses', () => {
  test('answers a report that the package in the input bears out', async () => {
    const response = await playing.client.responses.create(reportRequest)
    const report = JSON.parse(response.output_text)
    expect(report.sections.map(({ quiet }: { quiet: boolean }) => quiet)).toEqual([
      false,
      false,
      true,
    ])
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      model: 'gpt-5.4-mini-2026-03-17',
      service_tier: 'default',
      store: false,
      metadata: { callKey: 'draft:1' },
      max_output_tokens: 4_000,
      text: { format: { type: 'json_schema', name: 'report' } },
    })
    const outputTokens = countTokens(response.output_text)
    expect(response.usage).toMatchObject({
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    })
    await playing.simulator.log.idle()
    expect(playing.simulator.log.entries().at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/responses',
      requestId: response._request_id,
      model,
      stream: false,
      store: false,
      serviceTier: 'default',
      callKey: 'draft:1',
      apiKey: '1234',
      status: 200,
      outcome: 'answered',
      ended: 'completed',
      grounded: true,
      billed: { inputTokens, cachedTokens: 0, outputTokens },
      told: { inputTokens, cachedTokens: 0, outputTokens },
    })
  })

  test('streams the same answer as events in the provider’s order', async () => {
    const events: ResponseStreamEvent[] = []
    const stream = await playing.client.responses.create({ ...reportRequest, stream: true })
    for await (const event of stream) events.push(event)
    const types = events.map(({ type }) => type)
    expect(types.filter((type, at) => type !== types[at - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()])
    const text = events
      .flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))
      .join('')
    const last = events.at(-1)
    expect(last).toMatchObject({
      response: {
        status: 'completed',
        output: [{ content: [{ text }] }],
        usage: { input_tokens: inputTokens, output_tokens: countTokens(text) },
      },
    })
    expect(events[0]).toMatchObject({
      response: { status: 'in_progress', usage: null, output: [] },
    })
    expect(JSON.parse(text).summary.length).toBeGreaterThan(0)
  })

  test('feeds the SDK’s own stream and parse methods', async () => {
    const shape = z.object({ title: z.string(), count: z.int().min(1).max(9) })
    const request = {
      model,
      input: 'How many?',
      text: { format: zodTextFormat(shape, 'answer') },
    }
    const parsed = await playing.client.responses.parse(request)
    expect(shape.parse(parsed.output_parsed)).toEqual(parsed.output_parsed)
    const final = await playing.client.responses.stream(request).finalResponse()
    expect(shape.parse(final.output_parsed)).toEqual(final.output_parsed)
  })

  test('reads input in parts, and answers prose where no schema is given', async () => {
    const response = await playing.client.responses.create({
      model,
      input: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'input_text', text: 'Hello!' }] },
      ],
    })
    expect(response.output_text).toMatch(/^[A-Z][a-z ]+\./)
    expect(response.usage?.input_tokens).toBe(countTokens('Be brief.Hello!'))
  })

  test('keeps what is stored, and nothing else', async () => {
    const { responses } = playing.client
    const stored = await responses.create({ model, input: 'Keep this.' })
    expect((await responses.retrieve(stored.id)).output_text).toBe(stored.output_text)
    await responses.delete(stored.id)
    await expect(responses.retrieve(stored.id)).rejects.toMatchObject({ status: 404 })
    const other = await responses.create({ model, input: 'Keep nothing.', store: false })
    await expect(responses.retrieve(other.id)).rejects.toMatchObject({ status: 404 })
  })

  test.each([
    ['auto', 'default'],
    ['flex', 'flex'],
    ['fast', 'priority'],
    [null, 'default'],
  ] as const)('service tier %s is served as %s', async (service_tier, served) => {
    const response = await playing.client.responses.create({ model, input: 'Hi.', service_tier })
    expect(response.service_tier).toBe(served)
  })

  test('text of more than one unit a character arrives whole', async () => {
    const shape = { type: 'object', properties: { a: { const: '😀'.repeat(101) } } }
    const stream = playing.client.responses.stream({
      model,
      input: 'Smile.',
      text: {
        format: {
          type: 'json_schema',
          name: 'smile',
          schema: { ...shape, required: ['a'], additionalProperties: false },
        },
      },
    })
    expect(JSON.parse((await stream.finalResponse()).output_text).a).toBe('😀'.repeat(101))
  })
})

describe('POST /v1/chat/completions', () => {
  test('answers the report', async () => {
    const completion = await playing.client.chat.completions.create(chatReportRequest)
    const text = completion.choices[0]?.message.content ?? ''
    expect(JSON.parse(text).sections).toHaveLength(3)
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'gpt-5.4-mini-2026-03-17',
      choices: [{ finish_reason: 'stop', message: { role: 'assistant', refusal: null } }],
      usage: { completion_tokens: countTokens(text) },
    })
  })

  test.each([true, false])('streams it (usage asked for: %s)', async (include_usage) => {
    const stream = await playing.client.chat.completions.create({
      ...chatReportRequest,
      stream: true,
      stream_options: { include_usage },
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
    expect(JSON.parse(text).sections).toHaveLength(3)
    const usages = chunks.flatMap(({ usage }) => usage ?? [])
    expect(usages.map(({ completion_tokens }) => completion_tokens)).toEqual(
      include_usage ? [countTokens(text)] : [],
    )
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop'])
    await playing.simulator.log.idle()
    const entry = playing.simulator.log.entries().at(-1)
    expect(entry?.billed?.outputTokens).toBe(countTokens(text))
    expect(entry?.told !== null).toBe(include_usage)
  })

  test('answers some JSON object, of the package’s own schema where there is one', async () => {
    const format = { response_format: { type: 'json_object' as const } }
    const plain = await playing.client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Answer in JSON.' }],
      ...format,
    })
    expect(JSON.parse(plain.choices[0]?.message.content ?? '')).toHaveProperty('answer')
    const report = await playing.client.chat.completions.create({ ...chatReportRequest, ...format })
    expect(JSON.parse(report.choices[0]?.message.content ?? '').sections).toHaveLength(3)
  })
})

describe('POST /v1/embeddings', () => {
  const embed = async (...input: string[]) => {
    const answer = await playing.client.embeddings.create({
      model: 'text-embedding-3-small',
      input,
    })
    return answer.data.map(({ embedding }) => embedding)
  }
  const cosine = (a: number[] = [], b: number[] = []) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

  test('gives vectors of length 1 that are alike for like texts', async () => {
    const [one, alike, other] = await embed(
      'Airspace designations near Emmonak, Alaska',
      'Airspace designations near Kotlik, Alaska',
      'Polyurethane foam prices rose',
    )
    expect(one).toHaveLength(1536)
    expect(cosine(one, one)).toBeCloseTo(1, 5)
    expect(cosine(one, alike)).toBeGreaterThan(0.6)
    expect(Math.abs(cosine(one, other))).toBeLessThan(0.3)
  })

  test('gives the same numbers as floats and as base64, in the size asked for', async () => {
    const request = { model: 'text-embedding-3-large', input: '…', dimensions: 64 }
    const floats = await playing.client.embeddings.create({ ...request, encoding_format: 'float' })
    const base64 = await playing.client.embeddings.create(request)
    expect(floats.data[0]?.embedding).toHaveLength(64)
    expect(base64.data[0]?.embedding).toEqual(floats.data[0]?.embedding)
    expect(floats.usage).toEqual({ prompt_tokens: 1, total_tokens: 1 })
  })

  test('takes lists of tokens', async () => {
    const answer = await playing.client.embeddings.create({
      model: 'text-embedding-3-small',
      input: [
        [1, 2, 3],
        [4, 5],
      ],
    })
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1])
    expect(answer.usage.prompt_tokens).toBe(5)
  })
})

describe('models and keys', () => {
  test('lists models, aliases and their dated ones', async () => {
    const names = []
    for await (const { id } of playing.client.models.list()) names.push(id)
    expect(names).toEqual(expect.arrayContaining([model, 'gpt-5.4-mini-2026-03-17']))
    expect(await playing.client.models.retrieve(model)).toMatchObject({ id: model })
  })

  test('knows no other model, unless it is told to play it', async () => {
    const unknown = { model: 'llama-4', input: 'Hi.' }
    await expect(playing.client.responses.create(unknown)).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    })
    await using own = await play({ models: ['llama-4'] })
    expect((await own.client.responses.create(unknown)).model).toBe('llama-4')
  })

  test('lets in the keys of its list only', async () => {
    const client = (apiKey: string) =>
      new OpenAI({ apiKey, baseURL: playing.listening.baseUrl, maxRetries: 0 })
    await expect(client('sk-wrong-99887766').models.list()).rejects.toMatchObject({
      status: 401,
      code: 'invalid_api_key',
      message: expect.stringContaining('*7766'),
    })
    const bare = await fetch(`${playing.listening.baseUrl}/models`)
    expect(bare.status).toBe(401)
    expect(await bare.json()).toMatchObject({
      error: { type: 'invalid_request_error', code: null },
    })
  })
})

describe('what is refused', () => {
  test.each<[string, object, string | null, string | null, RegExp]>([
    ['an unknown parameter', { foo: 1 }, 'foo', 'unknown_parameter', /Unknown parameter: 'foo'/],
    [
      'an unknown parameter inside',
      { text: { format: { type: 'text' }, tone: 'x' } },
      'text.tone',
      'unknown_parameter',
      /'text.tone'/,
    ],
    ['no model', { model: undefined }, 'model', 'missing_required_parameter', /'model'/],
    ['no input', { input: undefined }, 'input', 'missing_required_parameter', /'input'/],
    [
      'a limit of the wrong type',
      { max_output_tokens: '100' },
      'max_output_tokens',
      'invalid_type',
      /expected a number, but got a string/,
    ],
    [
      'a limit that is too low',
      { max_output_tokens: 5 },
      'max_output_tokens',
      'integer_below_min_value',
      /Expected a value >= 16, but got 5 instead/,
    ],
    [
      'a temperature that is too high',
      { temperature: 2.5 },
      'temperature',
      'decimal_above_max_value',
      /Expected a value <= 2, but got 2.5/,
    ],
    [
      'an unknown tier',
      { service_tier: 'gold' },
      'service_tier',
      'invalid_value',
      /Invalid value: 'gold'. Supported values are: 'auto', .* and 'ultrafast'/,
    ],
    [
      'input of the wrong type',
      { input: 7 },
      'input',
      'invalid_type',
      /expected a string or an array, but got an integer/,
    ],
    [
      'an input part of another kind',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      'input[0].content[0].type',
      'invalid_value',
      /'input_image'. Supported values are: 'input_text'/,
    ],
    [
      'metadata that is not text',
      { metadata: { n: 1 } },
      'metadata.n',
      'invalid_type',
      /expected a string/,
    ],
    [
      'too much metadata',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v'])) },
      'metadata',
      'object_above_max_properties',
      /16/,
    ],
    [
      'a name that is too long',
      { safety_identifier: 'x'.repeat(129) },
      'safety_identifier',
      'string_above_max_length',
      /maximum length 128, but got a string with length 129/,
    ],
    [
      'stream options without a stream',
      { stream_options: { include_obfuscation: false } },
      'stream_options',
      'invalid_value',
      /only allowed when 'stream'/,
    ],
    [
      'what is not played',
      { tools: [{ type: 'web_search' }] },
      'tools',
      'unsupported_parameter',
      /'tools' is not played/,
    ],
    [
      'an open schema in strict mode',
      {
        text: {
          format: {
            type: 'json_schema',
            name: 'r',
            strict: true,
            schema: { type: 'object', properties: {} },
          },
        },
      },
      'text.format.schema',
      'invalid_json_schema',
      /Invalid schema for response_format 'r': In context=\(\), 'additionalProperties'/,
    ],
    [
      'a schema that no value can be made of',
      {
        text: {
          format: {
            type: 'json_schema',
            name: 'r',
            strict: false,
            schema: {
              type: 'object',
              properties: { a: { minimum: 5, maximum: 4, type: 'integer' } },
              required: ['a'],
            },
          },
        },
      },
      'text.format.schema',
      'invalid_json_schema',
      /no number is within the bounds/,
    ],
    [
      'a JSON object without the word',
      { text: { format: { type: 'json_object' } } },
      'input',
      null,
      /must contain the word 'json'/,
    ],
  ])('%s', async (_, change, param, code, message) => {
    const request = { model, input: 'Hi.', ...change }
    const answer = playing.client.responses.create(request as never)
    await expect(answer).rejects.toMatchObject({ status: 400, param, code })
    await expect(answer).rejects.toThrow(message)
  })

  test('what harms nothing is let through', async () => {
    const { status } = await playing.client.responses.create({
      model,
      input: 'Hi.',
      background: false,
      tools: [],
      previous_response_id: null,
      tool_choice: 'auto',
      truncation: 'disabled',
      reasoning: { effort: 'low' },
      prompt_cache_key: 'tenant',
    })
    expect(status).toBe('completed')
  })

  test('chat completions refuse both limits, and tools', async () => {
    const request = { ...chatReportRequest, max_tokens: 5 }
    await expect(playing.client.chat.completions.create(request)).rejects.toMatchObject({
      status: 400,
      param: 'max_tokens',
    })
    const many = { ...chatReportRequest, n: 2 }
    await expect(playing.client.chat.completions.create(many)).rejects.toMatchObject({
      param: 'n',
      code: 'unsupported_parameter',
    })
  })

  test.each([
    ['a body that is not JSON', 'POST', '/v1/responses', '{', 400, /could not parse the JSON/],
    ['a body that is no object', 'POST', '/v1/responses', '[]', 400, /expected an object/],
    ['an unknown path', 'GET', '/v1/nothing', undefined, 404, /Invalid URL \(GET \/v1\/nothing\)/],
    ['another method', 'GET', '/v1/responses', undefined, 405, /Not allowed to GET/],
    ['assistants', 'POST', '/v1/assistants', '{}', 404, /Assistants API was shut down/],
    ['threads', 'GET', '/v1/threads/t_1/runs', undefined, 404, /Use the Responses API/],
    ['an empty list of inputs', 'POST', '/v1/embeddings', '{"model":"m","input":[]}', 400, /empty/],
  ] as const)('%s', async (_, method, path, body, status, message) => {
    const answer = await playing.http(method, path, body)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/)
    const { error } = (await answer.json()) as { error: { message: string; type: string } }
    expect(error.message).toMatch(message)
    expect(error.type).toBe('invalid_request_error')
  })

  test('a body that is said to be something else', async () => {
    const answer = await fetch(`${playing.listening.baseUrl}/responses`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: 'Bearer sk-simulated-1234', 'content-type': 'text/plain' },
    })
    expect(answer.status).toBe(415)
  })
})
