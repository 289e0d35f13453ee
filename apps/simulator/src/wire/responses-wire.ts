import type {
  Response,
  ResponseError,
  ResponseOutputMessage,
  ResponseOutputRefusal,
  ResponseOutputText,
  ResponseStreamEvent,
  ResponseUsage,
} from 'openai/resources/responses/responses'
import type { ErrorObject } from 'openai/resources/shared'
import type { Reply } from '../composing/reply.ts'
import { countTokens, piecesOf } from '../tokens.ts'
import { apiErrors } from './api-error.ts'
import {
  servedTier,
  type Answer,
  type GenerationWire,
  type StreamedEvent,
} from './generation-wire.ts'
import { askOfResponses, readResponsesRequest, type ResponsesRequest } from './responses-request.ts'

type ResponsesAnswer = Answer<ResponsesRequest>

/** A response as it goes on the wire: `output_text` is the SDK's own, and usage is null until the end. */
type WireResponse = Omit<Response, 'output_text' | 'usage'> & {
  store: boolean
  usage: ResponseUsage | null | undefined
}

type OnTheWire<Event> = Event extends { response: Response }
  ? Omit<Event, 'response'> & { response: WireResponse }
  : Event

/** An event as it goes on the wire; the one for errors wraps the error, unlike the SDK's type of it. */
type WireEvent =
  | OnTheWire<Exclude<ResponseStreamEvent, { type: 'error' }>>
  | { type: 'error'; error: ErrorObject; sequence_number: number }

type Unnumbered<Event> = Event extends { sequence_number: number }
  ? Omit<Event, 'sequence_number'>
  : never

const failure: ResponseError = {
  code: 'server_error',
  message: 'The model failed to generate a response. Please try again.',
}

/** POST /v1/responses. */
export const responsesWire: GenerationWire<ResponsesRequest> = {
  path: '/v1/responses',
  schemaParam: 'text.format.schema',
  read: readResponsesRequest,
  ask: askOfResponses,
  facts: (request) => ({
    model: request.model,
    stream: request.stream ?? false,
    store: request.store ?? true,
    serviceTier: request.service_tier ?? null,
    metadata: request.metadata ?? {},
    tellsUsage: true,
  }),
  whole(answer) {
    if (answer.reply.end === 'error') throw apiErrors.serverError(answer.requestId)
    return { ...finished(answer) }
  },
  events,
  storedId: ({ request, id }) => (request.store === false ? null : `resp_${id}`),
}

function* events(answer: ResponsesAnswer): Generator<StreamedEvent> {
  const { reply } = answer
  let sequence = 0
  const event = (unnumbered: Unnumbered<WireEvent>, tokens = 0): StreamedEvent => {
    const data = { ...unnumbered, sequence_number: sequence }
    sequence += 1
    return { text: `event: ${unnumbered.type}\ndata: ${JSON.stringify(data)}\n\n`, tokens }
  }
  yield event({ type: 'response.created', response: unfinished(answer) })
  yield event({ type: 'response.in_progress', response: unfinished(answer) })
  yield* outputEvents(answer, event)
  if (reply.end === 'error') yield event({ type: 'error', error: apiErrors.overloaded().error })
  else yield event({ type: lastEvent[reply.end], response: finished(answer) })
}

const lastEvent = {
  completed: 'response.completed',
  refused: 'response.completed',
  truncated: 'response.incomplete',
  filtered: 'response.incomplete',
  failed: 'response.failed',
} as const

function* outputEvents(
  answer: ResponsesAnswer,
  event: (unnumbered: Unnumbered<WireEvent>, tokens?: number) => StreamedEvent,
): Generator<StreamedEvent> {
  const { reply, tokensPerDelta } = answer
  const message = messageOf(answer)
  const place = { output_index: 0, item_id: message.id, content_index: 0 }
  const isRefusal = reply.end === 'refused'
  const part = partOf(reply, '')
  yield event({
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...message, status: 'in_progress', content: [] },
  })
  yield event({ type: 'response.content_part.added', ...place, part })
  for (const delta of piecesOf(reply.text, tokensPerDelta)) {
    const tokens = countTokens(delta)
    yield isRefusal
      ? event({ type: 'response.refusal.delta', ...place, delta }, tokens)
      : event({ type: 'response.output_text.delta', ...place, delta, logprobs: [] }, tokens)
  }
  if (reply.end === 'error' || reply.end === 'failed') return
  const { text } = reply
  yield isRefusal
    ? event({ type: 'response.refusal.done', ...place, refusal: text })
    : event({ type: 'response.output_text.done', ...place, text, logprobs: [] })
  yield event({ type: 'response.content_part.done', ...place, part: partOf(reply, text) })
  yield event({ type: 'response.output_item.done', output_index: 0, item: message })
}

const partOf = ({ end }: Reply, text: string): ResponseOutputText | ResponseOutputRefusal =>
  end === 'refused'
    ? { type: 'refusal', refusal: text }
    : { type: 'output_text', text, annotations: [], logprobs: [] }

function messageOf({ reply, id }: ResponsesAnswer): ResponseOutputMessage {
  const isCut = reply.end === 'truncated' || reply.end === 'filtered'
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    status: isCut ? 'incomplete' : 'completed',
    content: [partOf(reply, reply.text)],
  }
}

/** The response while it is being generated. */
function unfinished({ request, model, id, createdAt }: ResponsesAnswer): WireResponse {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: createdAt,
    completed_at: null,
    status: 'in_progress',
    background: false,
    access_programs: null,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: null,
    metadata: request.metadata ?? {},
    model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: request.service_tier ?? 'auto',
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: textConfig(request),
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: null,
    ...(request.user === undefined ? {} : { user: request.user }),
  }
}

/** The response at its end, whichever that is. */
function finished(answer: ResponsesAnswer): WireResponse {
  const { reply, request, createdAt } = answer
  const base = {
    ...unfinished(answer),
    service_tier: servedTier(request.service_tier),
    usage: usageOf(reply),
  }
  switch (reply.end) {
    case 'completed':
    case 'refused':
      return {
        ...base,
        status: 'completed',
        completed_at: createdAt,
        output: [messageOf(answer)],
      }
    case 'truncated':
    case 'filtered': {
      const reason = reply.end === 'truncated' ? 'max_output_tokens' : 'content_filter'
      return {
        ...base,
        status: 'incomplete',
        incomplete_details: { reason },
        output: [messageOf(answer)],
      }
    }
    case 'failed':
    case 'error':
      return { ...base, usage: null, status: 'failed', error: failure }
  }
}

/** Undefined is left out of the JSON. */
function usageOf({ shown, usage }: Reply): ResponseUsage | null | undefined {
  if (shown === 'absent') return undefined
  if (shown === 'null') return null
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }
}

function textConfig({ text }: ResponsesRequest): NonNullable<WireResponse['text']> {
  const format = text?.format ?? { type: 'text' as const }
  const verbosity = text?.verbosity ?? 'medium'
  if (format.type !== 'json_schema') return { format, verbosity }
  const { description, strict, ...named } = format
  return {
    format: {
      ...named,
      strict: strict ?? false,
      ...(description === undefined ? {} : { description }),
    },
    verbosity,
  }
}
