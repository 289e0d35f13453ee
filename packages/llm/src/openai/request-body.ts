import { callKey } from '@almanac/documents'
import { canonicalJson, type Json } from '@almanac/domain'
import type { EngineRequest } from '@almanac/pipeline'
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import type { ResponseCreateParamsStreaming } from 'openai/resources/responses/responses'
import { z } from 'zod'
import type { Api, Parameters } from './settings.ts'

/** What a body is made from. */
export type BodyRequest = Pick<EngineRequest, 'prompt' | 'jsonSchema' | 'maxOutputTokens'> & {
  /** The key of the call, which the provider keeps nowhere (`store` is false) but logs may. */
  key: string
}

export const bodyRequest = ({
  prompt,
  jsonSchema,
  maxOutputTokens,
  call,
}: EngineRequest): BodyRequest => ({ prompt, jsonSchema, maxOutputTokens, key: callKey(call) })

/** What of an engine's options goes into every body. */
export interface BodySettings {
  api: Api
  model: string
  parameters: Parameters
  /** Whether the model charges for writing to its cache, which is then told not to. */
  chargesCacheWrites: boolean
}

/** The name of the schema on the wire. */
const schemaName = 'document'

/** The request in canonical JSON, without the service tier: equal arguments give equal bytes. */
export function requestBody(request: BodyRequest, settings: BodySettings): string {
  const params = settings.api === 'responses' ? responsesBody : chatBody
  return canonicalJson(params(request, settings))
}

function responsesBody(
  { prompt, jsonSchema, maxOutputTokens, key }: BodyRequest,
  { model, parameters, chargesCacheWrites }: BodySettings,
): ResponseCreateParamsStreaming {
  const { temperature, reasoningEffort } = parameters
  return {
    model,
    instructions: prompt.instructions,
    input: prompt.input,
    text: { format: { type: 'json_schema', name: schemaName, strict: true, schema: jsonSchema } },
    max_output_tokens: maxOutputTokens,
    metadata: { callKey: key },
    store: false,
    stream: true,
    stream_options: { include_obfuscation: false },
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoningEffort === undefined ? {} : { reasoning: { effort: reasoningEffort } }),
    ...(chargesCacheWrites ? { prompt_cache_options: { mode: 'explicit' } } : {}),
  }
}

function chatBody(
  { prompt, jsonSchema, maxOutputTokens }: BodyRequest,
  { model, parameters, chargesCacheWrites }: BodySettings,
): ChatCompletionCreateParamsStreaming {
  const { temperature, reasoningEffort, limitField = 'max_tokens', describeSchema } = parameters
  const schema = describeSchema
    ? `\n\nAnswer with one JSON object of this JSON schema, and nothing else:\n${canonicalJson(jsonSchema)}`
    : ''
  return {
    model,
    messages: [
      { role: 'system', content: prompt.instructions + schema },
      { role: 'user', content: prompt.input },
    ],
    response_format: {
      type: 'json_schema',
      json_schema: { name: schemaName, strict: true, schema: jsonSchema },
    },
    [limitField]: maxOutputTokens,
    store: false,
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
    ...(chargesCacheWrites ? { prompt_cache_options: { mode: 'explicit' } } : {}),
  }
}

/** The bytes that go on the wire: the body, with the tier that it is to be served in, if one is named. */
export function sentBody(body: string, tier: 'standard' | 'flex' | undefined): string {
  if (tier === undefined) return body
  return `{"service_tier":"${tier === 'standard' ? 'default' : tier}",${body.slice(1)}`
}

const json = z.json()
const sent = z.union([
  z.object({
    instructions: z.string(),
    input: z.string(),
    text: z.object({ format: z.object({ schema: json }) }),
  }),
  z.object({
    messages: z.array(z.object({ content: z.string() })),
    response_format: z.object({ json_schema: z.object({ schema: json }) }),
  }),
  z.object({ input: z.array(z.string()) }),
])

/** The text of a body that a provider counts as its input: prompt and schema, or the texts to embed. */
export function inputText(body: string): string {
  const request = sent.parse(JSON.parse(body))
  if (!('messages' in request) && !('instructions' in request)) return request.input.join('\n')
  const [texts, schema]: [string[], Json] =
    'messages' in request
      ? [request.messages.map(({ content }) => content), request.response_format.json_schema.schema]
      : [[request.instructions, request.input], request.text.format.schema]
  return [...texts, canonicalJson(schema)].join('\n')
}
