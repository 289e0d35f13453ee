import type { TenantId } from '@almanac/domain'
import type { Outcome, RateGate } from '@almanac/pipeline'
import { countTokens, type Listening } from '@almanac/simulator'
import { Agent, request as httpRequest } from 'node:http'
import { providerLoad } from '../../packages/llm/src/openai/provider-load.ts'
import type { TickingClock } from '../support/ticking-clock.ts'

const provider = 'openai'
const model = 'gpt-5.4-mini'

export interface WireTraffic {
  clock: TickingClock
  listening: Listening
  /** One gate a worker, each with its own connection to the buckets. */
  gates: readonly RateGate[]
  tenants: readonly TenantId[]
  calls: number
  /** Calls of each tenant that each worker has under way at once. */
  concurrency: number
}

/** For so long of every cycle nobody asks: the buckets fill to the brim. */
const quiet = { everyMs: 180_000, forMs: 20_000 }

/**
 * Sends calls to a simulator as workers do: rate, request, end; each asks again when it is told to. They
 * always want more than the limits allow. Resolves when all calls were sent and answered.
 */
export async function sendTraffic(traffic: WireTraffic): Promise<void> {
  const { clock, gates, tenants, calls, concurrency } = traffic
  let next = 0
  const sendAll = async (sender: Sender): Promise<void> => {
    while (next < calls) {
      next += 1
      await sendCall(traffic, sender, next)
    }
  }
  const workers = gates.map((gate) => ({ gate, agent: new Agent({ keepAlive: true }) }))
  const senders = workers.flatMap((worker) =>
    tenants.flatMap((tenantId) =>
      Array.from({ length: concurrency }, () => ({ ...worker, tenantId })),
    ),
  )
  try {
    await Promise.all(senders.map((sender) => clock.during(() => sendAll(sender))))
  } finally {
    for (const { agent } of workers) agent.destroy()
  }
}

interface Sender {
  gate: RateGate
  agent: Agent
  tenantId: TenantId
}

async function sendCall(
  { clock, listening }: WireTraffic,
  { gate, agent, tenantId }: Sender,
  n: number,
): Promise<void> {
  const call = callOf(n, tenantId)
  const tokens = countTokens(call.input) + call.max_output_tokens
  for (;;) {
    const since = clock.now() % quiet.everyMs
    if (since < quiet.forMs) await clock.wait(quiet.forMs - since, never)
    const room = await gate.take({ provider, tenantId, tokens })
    if (room.granted) {
      const outcome = await post(listening, agent, call)
      if (room.ticket) await gate.end(room.ticket, outcome)
      return
    }
    await clock.wait(room.retryAfterMs, never)
  }
}

const never = new AbortController().signal

/** Calls of many sizes; most use all that they reserve, some far less. */
function callOf(n: number, tenant: TenantId) {
  return {
    model,
    input: `Call ${n}. ${'So much is known. '.repeat(n % 17)}`,
    max_output_tokens: n % 40 === 0 ? 400 : 16 + ((n * 37) % 64),
    store: false,
    metadata: { callKey: `draft:${n}`, tenant },
  }
}

function post({ port }: Listening, agent: Agent, call: object): Promise<Outcome> {
  const body = JSON.stringify(call)
  const headers = {
    authorization: 'Bearer sk-simulated-1234',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { agent, port, host: '127.0.0.1', path: '/v1/responses', method: 'POST', headers },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const told = providerLoad(new Headers(response.headers as Record<string, string>))
          const text = Buffer.concat(parts).toString()
          const retryAfterMs = Number(response.headers['retry-after-ms'] ?? 0)
          resolve({ ...outcomeOf(response.statusCode, text, retryAfterMs), ...(told && { told }) })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

function outcomeOf(status: number | undefined, text: string, retryAfterMs: number): Outcome {
  if (status === 429) return { kind: 'not_billed', reason: 'rate', retryAfterMs }
  if (status !== 200) throw new Error(`the simulator answers ${status}: ${text}`)
  const { usage } = JSON.parse(text) as { usage: { input_tokens: number; output_tokens: number } }
  return {
    kind: 'completed',
    output: null,
    usage: {
      inputTokens: usage.input_tokens,
      cachedInputTokens: 0,
      outputTokens: usage.output_tokens,
      estimated: false,
    },
    served: { model, tier: 'default' },
    requestId: '',
  }
}
