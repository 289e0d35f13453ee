import { canonicalJson } from '@almanac/domain'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createEngine } from './engine.ts'

const ignore = () => undefined
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore } as never

it('asks a compatible server that has no keys', async () => {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.writeHead(500).end('{}')
  }).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  try {
    const { port } = server.address() as AddressInfo
    const engine = await createEngine(
      {
        engine: {
          kind: 'openai',
          apiKey: undefined,
          baseUrl: `http://127.0.0.1:${port}/v1`,
          api: 'responses',
          model: 'gpt-5-mini',
          judgeModel: undefined,
          embeddingModel: undefined,
          priceFile: undefined,
          rates: { requests: null, tokens: null },
        },
      },
      log,
    )
    const body = canonicalJson({ model: 'gpt-5-mini', input: 'x' })
    await engine.generate({} as never, body, AbortSignal.timeout(5_000))
    expect(asked).toEqual(['/v1/responses'])
  } finally {
    server.close()
  }
})
