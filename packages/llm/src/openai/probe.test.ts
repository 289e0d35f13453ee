import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chatUsage, chunk, error, said, stop } from '../testing/openai-answers.ts'
import { startEndpoint, type Endpoint } from '../testing/openai-endpoint.ts'
import { events, reply, stream, type WireServer } from '../testing/wire-server.ts'

let endpoint: Endpoint
let server: WireServer
beforeAll(async () => {
  endpoint = await startEndpoint()
  server = endpoint.server
})
afterAll(() => server.close())

const never = new AbortController().signal

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
    expect(await endpoint.engineWith({ api: 'chat' }).probe(never)).toEqual({
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
    const found = await endpoint.engineWith({ api: 'chat' }).probe(never)
    expect(found).toMatchObject({
      schemaEnforced: false,
      usageReturned: false,
      limitHonoured: false,
    })
    expect(found.problems).toHaveLength(3)
  })

  it('cannot tell from a server that is overloaded, and throws where it is turned away', async () => {
    server.answer((out) => reply(out, 503, {}))
    expect(await endpoint.engineWith().probe(never)).toMatchObject({
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
    await expect(endpoint.engineWith().probe(never)).rejects.toMatchObject({
      code: 'ENGINE_MISCONFIGURED',
      params: { status: 401, reason: 'invalid_api_key' },
    })
  })
})
