import OpenAI from 'openai'
import {
  createSimulator,
  type Listening,
  type Simulator,
  type SimulatorPorts,
} from '../simulator.ts'
import type { SimulatorOptions } from '../settings.ts'
import { sampleInput, sampleReportSchema } from './run-package.ts'

/** A simulator that listens, and the provider's SDK pointed at it. */
export interface Playing extends AsyncDisposable {
  simulator: Simulator
  listening: Listening
  client: OpenAI
  /** A request to the simulator without the SDK. */
  http: (method: string, path: string, body?: unknown) => Promise<Response>
}

/** How long a test waits for what must come. */
export const patiently = { timeout: 20_000 }

export const model = 'gpt-5.4-mini'
export const apiKey = 'sk-simulated-1234'

/** Starts a simulator with a client that neither retries nor waits long. */
export async function play(
  options: SimulatorOptions = {},
  ports: SimulatorPorts = {},
): Promise<Playing> {
  const simulator = createSimulator(options, ports)
  const listening = await simulator.listen()
  const client = new OpenAI({
    baseURL: listening.baseUrl,
    apiKey,
    maxRetries: 0,
    timeout: 20_000,
    logLevel: 'off',
  })
  return {
    simulator,
    listening,
    client,
    http: (method, path, body) =>
      fetch(`${listening.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    [Symbol.asyncDispose]: () => listening.close(),
  }
}

/** A request for the sample package's report. */
export const reportRequest = {
  model,
  instructions: 'Write the report of the run package.',
  input: sampleInput(),
  text: {
    format: {
      type: 'json_schema' as const,
      name: 'report',
      strict: true,
      schema: { ...sampleReportSchema },
    },
  },
  store: false,
  service_tier: 'default' as const,
  max_output_tokens: 4_000,
  metadata: { callKey: 'draft:1' },
}

/** The same request for chat completions. */
export const chatReportRequest = {
  model,
  messages: [{ role: 'user' as const, content: sampleInput() }],
  response_format: {
    type: 'json_schema' as const,
    json_schema: { name: 'report', strict: true, schema: { ...sampleReportSchema } },
  },
  max_completion_tokens: 4_000,
}
