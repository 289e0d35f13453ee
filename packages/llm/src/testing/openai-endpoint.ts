import type { EngineRequest, Outcome } from '@almanac/pipeline'
import { createOpenAiEngine, type OpenAiEngine } from '../openai/engine.ts'
import type { OpenAiOptions } from '../openai/settings.ts'
import type { PriceRow } from '../prices.ts'
import { samplePackage } from './sample-package.ts'
import { startWireServer, type WireServer } from './wire-server.ts'

export const now = new Date('2026-11-21T00:00:00Z')

export const price: PriceRow = {
  model: 'test-1',
  tier: 'standard',
  from: '2026-01-01T00:00:00Z',
  until: null,
  input: 1_000_000,
  cachedInput: 100_000,
  output: 10_000_000,
}

export const request: EngineRequest = {
  package: samplePackage({ items: [] }),
  call: { kind: 'draft', n: 1, brief: 'Write.', inputHashes: [] },
  prompt: { instructions: 'You report.', input: 'BEGIN DATA “ü” END DATA' },
  inputs: [],
  jsonSchema: { type: 'object', properties: {}, required: [], additionalProperties: false },
  maxOutputTokens: 4_000,
}

/** A server that tests write the answers of, and engines that talk to it. */
export interface Endpoint {
  server: WireServer
  engineWith(options?: Partial<OpenAiOptions>): OpenAiEngine
  /** Sends `request` with an engine of its own. */
  ask(options?: Partial<OpenAiOptions>, signal?: AbortSignal): Promise<Outcome>
}

export async function startEndpoint(): Promise<Endpoint> {
  const server = await startWireServer()
  const prices = [price, { ...price, tier: 'flex' as const, input: 500_000, output: 5_000_000 }]
  const base = { api: 'responses', model: 'test-1', apiKey: 'sk-test', prices } as const
  const engineWith: Endpoint['engineWith'] = (options = {}) =>
    createOpenAiEngine({ now }, { ...base, baseUrl: server.baseUrl, ...options })
  return {
    server,
    engineWith,
    ask(options, signal = new AbortController().signal) {
      const engine = engineWith(options)
      return engine.generate(request, engine.body(request), signal)
    },
  }
}
