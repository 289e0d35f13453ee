import type { ChatCompletionCreateParamsBase } from 'openai/resources/chat/completions/completions'
import { z } from 'zod'
import type { Ask } from '../composing/ask.ts'
import { countTokens } from '../tokens.ts'
import { invalidParam } from './api-error.ts'
import { metadata, notPlayed, readParams, serviceTiers } from './read-params.ts'
import { schemaParam } from './schema-param.ts'

const part = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: z.string(),
    prompt_cache_breakpoint: z.unknown().optional(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
])

const message = z.strictObject({
  role: z.enum(['developer', 'system', 'user', 'assistant']),
  content: z.union([z.string(), z.array(part), z.null()]).optional(),
  name: z.string().optional(),
  refusal: z.string().nullish(),
})

const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
      description: z.string().optional(),
    }),
  }),
])

const penalty = z.number().min(-2).max(2).nullish()
const tokens = z.int().min(1).nullish()

/** Every parameter that the SDK knows, so that a new one does not pass unnoticed. */
const shape = {
  model: z.string().min(1),
  messages: z.array(message).min(1),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  max_completion_tokens: tokens,
  max_tokens: tokens,
  metadata,
  parallel_tool_calls: z.boolean().optional(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .strictObject({
      mode: z.enum(['implicit', 'explicit']).optional(),
      ttl: z.enum(['30m', '12h']).optional(),
    })
    .optional(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  response_format: responseFormat.optional(),
  safety_identifier: z.string().max(128).nullish(),
  seed: z.int().nullish(),
  service_tier: z.enum(serviceTiers).exclude(['ultrafast']).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().optional(),
      include_obfuscation: z.boolean().optional(),
    })
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().optional(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  n: notPlayed(1),
  logprobs: notPlayed(false),
  top_logprobs: notPlayed(0),
  logit_bias: notPlayed(),
  audio: notPlayed(),
  function_call: notPlayed('auto', 'none'),
  functions: notPlayed('[]'),
  modalities: notPlayed('[]'),
  moderation: notPlayed(),
  prediction: notPlayed(),
  stop: notPlayed('[]'),
  tool_choice: notPlayed('auto', 'none'),
  tools: notPlayed('[]'),
  web_search_options: notPlayed(),
} satisfies Record<keyof ChatCompletionCreateParamsBase, z.ZodType>

const chatRequest = z.strictObject(shape)
export type ChatRequest = z.output<typeof chatRequest>

/** Reads the body of POST /v1/chat/completions; throws ApiError (400). */
export function readChatRequest(body: unknown): ChatRequest {
  const request = readParams(chatRequest, body)
  if (request.stream_options && !request.stream)
    throw invalidParam(
      'stream_options',
      'invalid_value',
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    )
  if (request.max_tokens != null && request.max_completion_tokens != null)
    throw invalidParam(
      'max_tokens',
      'invalid_parameter_combination',
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    )
  const isJsonObject = request.response_format?.type === 'json_object'
  if (isJsonObject && !/json/i.test(messageTexts(request).join(' ')))
    throw invalidParam(
      'messages',
      null,
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    )
  return request
}

/** What a request asks for; throws ApiError (400) for a schema that cannot be answered. */
export function askOfChat(request: ChatRequest): Ask {
  const format = request.response_format
  const named = format?.type === 'json_schema' ? format.json_schema : undefined
  const schema =
    named?.schema &&
    schemaParam(named.schema, named.strict ?? false, { name: named.name, param: 'response_format' })
  const texts = messageTexts(request)
  const limit = request.max_completion_tokens ?? request.max_tokens
  return {
    model: request.model,
    texts,
    schemaName: named?.name ?? '',
    jsonObject: format?.type === 'json_object' || (named !== undefined && !schema),
    inputTokens: countTokens(texts.join('')) + countTokens(schema?.text ?? ''),
    ...(schema ? { schema: schema.node } : {}),
    ...(limit == null ? {} : { maxOutputTokens: limit }),
  }
}

function messageTexts({ messages }: ChatRequest): string[] {
  return messages.flatMap(({ content }) => {
    if (content == null) return []
    if (typeof content === 'string') return [content]
    return content.map((one) => (one.type === 'refusal' ? one.refusal : one.text))
  })
}
