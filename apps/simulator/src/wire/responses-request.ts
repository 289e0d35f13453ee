import type { ResponseCreateParamsBase } from 'openai/resources/responses/responses'
import { z } from 'zod'
import type { Ask } from '../composing/ask.ts'
import { countTokens } from '../tokens.ts'
import { invalidParam } from './api-error.ts'
import { metadata, notPlayed, readParams, serviceTiers } from './read-params.ts'
import { schemaParam } from './schema-param.ts'

const part = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('input_text'),
    text: z.string(),
    prompt_cache_breakpoint: z.unknown().optional(),
  }),
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.unknown()).optional(),
    logprobs: z.array(z.unknown()).optional(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
])

const message = z.strictObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([z.string(), z.array(part)]),
  id: z.string().optional(),
  status: z.enum(['in_progress', 'completed', 'incomplete']).optional(),
  phase: z.enum(['commentary', 'final_answer']).nullish(),
})

const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
    description: z.string().optional(),
  }),
])

/** Every parameter that the SDK knows, so that a new one does not pass unnoticed. */
const shape = {
  model: z.string().min(1),
  input: z.union([z.string(), z.array(message)]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  metadata,
  parallel_tool_calls: z.boolean().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .strictObject({
      mode: z.enum(['implicit', 'explicit']).optional(),
      ttl: z.enum(['30m', '12h']).optional(),
      comparison_response_id: z.string().nullish(),
    })
    .optional(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      context: z.enum(['auto', 'current_turn', 'all_turns']).nullish(),
      mode: z.string().optional(),
    })
    .nullish(),
  safety_identifier: z.string().max(128).nullish(),
  service_tier: z.enum(serviceTiers).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  text: z
    .strictObject({
      format: format.optional(),
      verbosity: z.enum(['low', 'medium', 'high']).nullish(),
    })
    .optional(),
  top_p: z.number().min(0).max(1).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  user: z.string().optional(),
  include: z.array(z.string()).nullish(),
  access_programs: notPlayed(),
  background: notPlayed(false),
  context_management: notPlayed('[]'),
  conversation: notPlayed(),
  image: notPlayed(),
  max_tool_calls: notPlayed(),
  moderation: notPlayed(),
  previous_response_id: notPlayed(),
  prompt: notPlayed(),
  tool_choice: notPlayed('auto', 'none'),
  tools: notPlayed('[]'),
  top_logprobs: notPlayed(0),
} satisfies Record<keyof ResponseCreateParamsBase, z.ZodType>

const responsesRequest = z.strictObject(shape)
export type ResponsesRequest = z.output<typeof responsesRequest>

/** Reads the body of POST /v1/responses; throws ApiError (400). */
export function readResponsesRequest(body: unknown): ResponsesRequest {
  const request = readParams(responsesRequest, body)
  if (request.stream_options && !request.stream)
    throw invalidParam(
      'stream_options',
      'invalid_value',
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    )
  if (request.text?.format?.type === 'json_object' && !/json/i.test(inputTexts(request).join(' ')))
    throw invalidParam(
      'input',
      null,
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    )
  return request
}

/** What a request asks for; throws ApiError (400) for a schema that cannot be answered. */
export function askOfResponses(request: ResponsesRequest): Ask {
  const format = request.text?.format
  const schema =
    format?.type === 'json_schema'
      ? schemaParam(format.schema, format.strict ?? false, {
          name: format.name,
          param: 'text.format.schema',
        })
      : undefined
  const texts = [request.instructions ?? '', ...inputTexts(request)].filter((text) => text !== '')
  return {
    model: request.model,
    texts,
    schemaName: format?.type === 'json_schema' ? format.name : '',
    jsonObject: format?.type === 'json_object',
    inputTokens: countTokens(texts.join('')) + countTokens(schema?.text ?? ''),
    ...(schema ? { schema: schema.node } : {}),
    ...(request.max_output_tokens == null ? {} : { maxOutputTokens: request.max_output_tokens }),
  }
}

function inputTexts({ input }: ResponsesRequest): string[] {
  if (typeof input === 'string') return [input]
  return input.flatMap(({ content }) =>
    typeof content === 'string'
      ? [content]
      : content.map((one) => (one.type === 'refusal' ? one.refusal : one.text)),
  )
}
