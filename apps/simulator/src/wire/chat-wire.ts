import type {
  ChatCompletion,
  ChatCompletionChunk,
} from 'openai/resources/chat/completions/completions'
import type { CompletionUsage } from 'openai/resources/completions'
import type { Reply } from '../composing/reply.ts'
import { countTokens, piecesOf } from '../tokens.ts'
import { apiErrors } from './api-error.ts'
import { askOfChat, readChatRequest, type ChatRequest } from './chat-request.ts'
import {
  servedTier,
  type Answer,
  type GenerationWire,
  type StreamedEvent,
} from './generation-wire.ts'

type ChatAnswer = Answer<ChatRequest>

/** POST /v1/chat/completions. */
export const chatWire: GenerationWire<ChatRequest> = {
  path: '/v1/chat/completions',
  schemaParam: 'response_format',
  read: readChatRequest,
  ask: askOfChat,
  facts: (request) => ({
    model: request.model,
    stream: request.stream ?? false,
    store: request.store ?? false,
    serviceTier: request.service_tier ?? null,
    metadata: request.metadata ?? {},
    tellsUsage: !request.stream || request.stream_options?.include_usage === true,
  }),
  whole(answer) {
    const { reply } = answer
    if (reply.end === 'error' || reply.end === 'failed')
      throw apiErrors.serverError(answer.requestId)
    const isRefusal = reply.end === 'refused'
    const completion: Omit<ChatCompletion, 'usage'> & { usage?: CompletionUsage | null } = {
      id: `chatcmpl-${answer.id}`,
      object: 'chat.completion',
      created: answer.createdAt,
      model: answer.model,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: isRefusal ? null : reply.text,
            refusal: isRefusal ? reply.text : null,
            annotations: [],
          },
          logprobs: null,
          finish_reason: finishReason[reply.end],
        },
      ],
      service_tier: servedTier(answer.request.service_tier),
      ...usageOf(reply),
    }
    return { ...completion }
  },
  events,
  storedId: () => null,
}

const finishReason = {
  completed: 'stop',
  refused: 'stop',
  truncated: 'length',
  filtered: 'content_filter',
} as const

function* events(answer: ChatAnswer): Generator<StreamedEvent> {
  const { reply, request, tokensPerDelta } = answer
  const withUsage = request.stream_options?.include_usage === true
  const chunk = (choices: ChatCompletionChunk['choices'], usage: object, tokens = 0) => {
    const data: Omit<ChatCompletionChunk, 'usage'> = {
      id: `chatcmpl-${answer.id}`,
      object: 'chat.completion.chunk',
      created: answer.createdAt,
      model: answer.model,
      service_tier: servedTier(request.service_tier),
      choices,
    }
    return { text: `data: ${JSON.stringify({ ...data, ...usage })}\n\n`, tokens }
  }
  const step = (
    delta: ChatCompletionChunk.Choice.Delta,
    reason: ChatCompletionChunk.Choice['finish_reason'] = null,
    tokens = 0,
  ) =>
    chunk(
      [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      withUsage ? { usage: null } : {},
      tokens,
    )

  const isRefusal = reply.end === 'refused'
  yield step({
    role: 'assistant',
    ...(isRefusal ? { refusal: '' } : { content: '', refusal: null }),
  })
  for (const piece of piecesOf(reply.text, tokensPerDelta))
    yield step(isRefusal ? { refusal: piece } : { content: piece }, null, countTokens(piece))
  if (reply.end === 'error' || reply.end === 'failed') {
    const { error } = apiErrors.overloaded()
    yield { text: `data: ${JSON.stringify({ error })}\n\n`, tokens: 0 }
    return
  }
  yield step({}, finishReason[reply.end])
  if (withUsage && reply.shown !== 'absent') yield chunk([], usageOf(reply))
  yield { text: 'data: [DONE]\n\n', tokens: 0 }
}

function usageOf({ shown, usage }: Reply): { usage?: CompletionUsage | null } {
  if (shown === 'absent') return {}
  if (shown === 'null') return { usage: null }
  return {
    usage: {
      prompt_tokens: usage.inputTokens,
      completion_tokens: usage.outputTokens,
      total_tokens: usage.inputTokens + usage.outputTokens,
      prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  }
}
