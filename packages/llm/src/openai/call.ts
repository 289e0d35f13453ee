import type { Outcome, ProviderLoad, Usage } from '@almanac/pipeline'
import { APIError, type OpenAI } from 'openai'
import { Stream } from 'openai/streaming'
import { countTokens } from '../tokens.ts'
import { createChatListener } from './chat-listener.ts'
import { createEmbeddingsListener } from './embeddings-listener.ts'
import { outcomeOfFailure, streamFailure, WrongContentType, type FailedCall } from './failure.ts'
import type { Heard, Listener } from './listener.ts'
import { providerLoad } from './provider-load.ts'
import { inputText, sentBody } from './request-body.ts'
import { createResponsesListener } from './responses-listener.ts'
import type { Api, CallLimits } from './settings.ts'
import { startWatch, type Watch } from './watch.ts'

export interface CallSettings {
  client: OpenAI
  api: Api | 'embeddings'
  model: string
  tier: 'standard' | 'flex' | undefined
  limits: CallLimits
}

const wires = {
  responses: { path: '/responses', listen: createResponsesListener },
  chat: { path: '/chat/completions', listen: createChatListener },
  embeddings: { path: '/embeddings', listen: createEmbeddingsListener },
} as const

/**
 * Sends one body and listens to its answer. The story of a call:
 *
 *   1. It is sent once, as it is; nothing here or in the SDK sends it again.
 *   2. Its answer is read to the end, so that the connection can be used again. An answer whose last
 *      event was heard counts, whatever happens to the connection after it, even a cancellation.
 *   3. A cancelled call rejects with the signal's reason, and its socket is closed.
 *   4. A limit in time makes it `unknown`; one in size makes it `truncated`, with usage counted here.
 *   5. Everything else that goes wrong is an outcome by the table in failure.ts.
 *
 * What ends well is parsed as JSON; an answer that is none is given as its text, for the caller's
 * parser to refuse: it was billed. Usage that the provider leaves out is counted, and marked so.
 */
export async function callOpenAi(
  settings: CallSettings,
  body: string,
  signal: AbortSignal,
): Promise<Outcome> {
  signal.throwIfAborted()
  const { api, limits } = settings
  const listener = wires[api].listen()
  const watch = startWatch(signal, limits)
  const sent: Sent = { body, requestId: '', told: undefined, failure: undefined }
  try {
    await exchange(settings, sent, listener, watch)
    watch.stop(true)
  } catch (error) {
    sent.failure = error
    if (error instanceof APIError && error.headers) sent.told = providerLoad(error.headers)
    watch.stop(false)
  }
  const { heard } = listener
  if (heard.end === undefined) signal.throwIfAborted()
  const outcome = await outcomeOf(heard, sent, watch, settings)
  return sent.told === undefined ? outcome : { ...outcome, told: sent.told }
}

interface Sent {
  body: string
  requestId: string
  /** What the headers said of the provider's rate limits. */
  told: ProviderLoad | undefined
  failure: unknown
}

async function exchange(
  { client, api, tier, limits }: CallSettings,
  sent: Sent,
  listener: Listener,
  watch: Watch,
): Promise<void> {
  const { controller } = watch
  const response = await client
    .post(wires[api].path, {
      body: sentBody(sent.body, tier),
      headers: { 'content-type': 'application/json' },
      signal: controller.signal,
      // Only a longstop: the watch ends the call first.
      timeout: limits.totalMs + 1_000,
    })
    .asResponse()
  watch.answered()
  sent.requestId = response.headers.get('x-request-id') ?? ''
  sent.told = providerLoad(response.headers)
  const contentType = mediaType(response)
  const counted = countedBy(watch, response)
  if (contentType === 'application/json') return listener.hearWhole(await counted.json())
  if (contentType !== 'text/event-stream') throw new WrongContentType(contentType)
  for await (const event of Stream.fromSSEResponse<unknown>(counted, controller, client)) {
    listener.hear(event)
    watch.grown(listener.heard.text.length)
  }
}

const mediaType = ({ headers }: Response): string =>
  headers.get('content-type')?.split(';')[0]?.trim().toLowerCase().slice(0, 80) || 'none'

function countedBy(watch: Watch, { body, status, headers }: Response): Response {
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      watch.received(chunk.byteLength)
      controller.enqueue(chunk)
    },
  })
  return new Response(body?.pipeThrough(counting) ?? null, { status, headers })
}

async function outcomeOf(
  heard: Heard,
  sent: Sent,
  watch: Watch,
  { api, model, tier }: CallSettings,
): Promise<Outcome> {
  const counted = async (text: string): Promise<Usage> => ({
    inputTokens: await countTokens(inputText(sent.body)),
    cachedInputTokens: 0,
    outputTokens: await countTokens(text),
    estimated: true,
  })
  const served = { model: heard.model ?? model, tier: servedTier(heard.tier) ?? tier ?? 'standard' }
  const call: FailedCall = {
    flex: tier === 'flex',
    served,
    begun: heard.text !== '',
    inputUsage: () => counted(''),
  }
  const requestId = sent.requestId || heard.id || ''
  // Vectors are no tokens.
  const written = api === 'embeddings' ? '' : heard.text
  const usage = async () => heard.usage ?? counted(written)
  switch (heard.end) {
    case 'completed':
      if (heard.refused) return { kind: 'refused', usage: await usage(), served, requestId }
      return {
        kind: 'completed',
        output: parsed(heard.text),
        usage: await usage(),
        served,
        requestId,
      }
    case 'truncated':
    case 'filtered':
      return { kind: heard.end, usage: await usage(), served, requestId }
    case 'failed':
      return named(await streamFailure(heard.code, call), requestId)
    case undefined:
      if (watch.reached === 'time') return { kind: 'unknown', reason: 'timeout' }
      if (watch.reached === 'size')
        return { kind: 'truncated', usage: await usage(), served, requestId }
      return named(await outcomeOfFailure(sent.failure, call), requestId)
  }
}

const named = (outcome: Outcome, requestId: string): Outcome =>
  'requestId' in outcome && outcome.requestId === '' ? { ...outcome, requestId } : outcome

/** OpenAI calls the standard tier `default`. */
const servedTier = (tier: string | undefined): string | undefined =>
  tier === 'default' ? 'standard' : tier

const fence = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/

/** The JSON value of a text, also where a server that enforces no schema has fenced it; else the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(fence.exec(text)?.[1] ?? text)
  } catch {
    return text
  }
}
