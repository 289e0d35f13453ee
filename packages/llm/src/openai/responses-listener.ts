import type { Usage } from '@almanac/pipeline'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { z } from 'zod'
import { nothingHeard, type End, type Heard, type Listener } from './listener.ts'

/** The names of the events that are listened to, held against the SDK's own. */
const named = <Name extends ResponseStreamEvent['type']>(name: Name) => z.literal(name)

const tokens = z.int().min(0)
const usage = z.object({
  input_tokens: tokens,
  input_tokens_details: z.object({ cached_tokens: tokens.nullish() }).nullish(),
  output_tokens: tokens,
})

const content = z.object({
  type: z.string(),
  text: z.string().nullish(),
  refusal: z.string().nullish(),
})
const item = z.object({
  type: z.string(),
  phase: z.string().nullish(),
  content: z.array(content).nullish(),
})

/** What is read of a response; parts that are missing or not as they should be are taken as absent. */
const response = z.object({
  id: z.string().optional().catch(undefined),
  model: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
  service_tier: z.string().nullish().catch(undefined),
  output: z.array(item).catch([]),
  usage: usage.nullish().catch(undefined),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish().catch(undefined),
  error: z.object({ code: z.string().nullish() }).nullish().catch(undefined),
})
type Response = z.output<typeof response>

const event = z.discriminatedUnion('type', [
  z.object({ type: named('response.output_text.delta'), delta: z.string() }),
  z.object({ type: named('response.refusal.delta') }),
  z.object({ type: named('response.created'), response }),
  z.object({ type: named('response.completed'), response }),
  z.object({ type: named('response.incomplete'), response }),
  z.object({ type: named('response.failed'), response }),
])

const listened = new Set<unknown>(event.options.map(({ shape }) => shape.type.value))

const typeOf = (given: unknown): unknown =>
  typeof given === 'object' && given !== null && 'type' in given ? given.type : undefined

/** Creates a listener to the events of the Responses API. */
export function createResponsesListener(): Listener {
  const heard = nothingHeard()
  return {
    heard,
    hear(given) {
      if (!listened.has(typeOf(given))) return
      const parsed = event.safeParse(given)
      if (!parsed.success) return
      const { data } = parsed
      switch (data.type) {
        case 'response.output_text.delta':
          heard.text += data.delta
          return
        case 'response.refusal.delta':
          heard.refused = true
          return
        case 'response.created':
          return about(heard, data.response)
        case 'response.completed':
          return ended(heard, data.response, 'completed')
        case 'response.incomplete':
          return ended(heard, data.response, incomplete(data.response))
        case 'response.failed':
          return ended(heard, data.response, 'failed')
      }
    },
    hearWhole(answer) {
      const parsed = response.safeParse(answer)
      if (!parsed.success) return
      const { data } = parsed
      if (data.status === 'completed') ended(heard, data, 'completed')
      if (data.status === 'incomplete') ended(heard, data, incomplete(data))
      if (data.status === 'failed') ended(heard, data, 'failed')
    },
  }
}

function about(heard: Heard, { id, model, service_tier }: Response): void {
  heard.id = id ?? heard.id
  heard.model = model ?? heard.model
  heard.tier = service_tier ?? heard.tier
}

function ended(heard: Heard, response: Response, end: End): void {
  about(heard, response)
  heard.end = end
  heard.code = response.error?.code ?? undefined
  heard.usage = response.usage ? usageOf(response.usage) : undefined
  const { text, refused } = finalMessage(response)
  // The last event holds the whole answer again; what was streamed stands in where it does not.
  heard.text = text ?? heard.text
  heard.refused ||= refused
}

const incomplete = ({ incomplete_details }: Response): End =>
  incomplete_details?.reason === 'content_filter' ? 'filtered' : 'truncated'

/** The text of the answer itself: the last message that is not a comment on the way to it. */
function finalMessage({ output }: Response): { text: string | undefined; refused: boolean } {
  const messages = output.filter(({ type, phase }) => type === 'message' && phase !== 'commentary')
  const parts = messages.at(-1)?.content ?? []
  const texts = parts.flatMap(({ type, text }) => (type === 'output_text' ? (text ?? []) : []))
  return {
    text: texts.length > 0 ? texts.join('') : undefined,
    refused: parts.some(({ type }) => type === 'refusal'),
  }
}

const usageOf = ({
  input_tokens,
  input_tokens_details,
  output_tokens,
}: z.output<typeof usage>): Usage => ({
  inputTokens: input_tokens,
  cachedInputTokens: Math.min(input_tokens, input_tokens_details?.cached_tokens ?? 0),
  outputTokens: output_tokens,
  estimated: false,
})
