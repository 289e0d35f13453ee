import type { Usage } from '@almanac/pipeline'
import { z } from 'zod'
import { nothingHeard, type End, type Heard, type Listener } from './listener.ts'

const tokens = z.int().min(0)
const usage = z.object({
  prompt_tokens: tokens,
  prompt_tokens_details: z.object({ cached_tokens: tokens.nullish() }).nullish(),
  completion_tokens: tokens,
})

const message = z.object({ content: z.string().nullish(), refusal: z.string().nullish() })
const choice = z.object({
  index: z.int().default(0),
  delta: message.nullish(),
  message: message.nullish(),
  finish_reason: z.string().nullish(),
})

/** A chunk of a stream, or a whole answer; parts that are not as they should be are taken as absent. */
const completion = z.object({
  id: z.string().optional().catch(undefined),
  model: z.string().optional().catch(undefined),
  service_tier: z.string().nullish().catch(undefined),
  choices: z.array(choice).catch([]),
  usage: usage.nullish().catch(undefined),
})

/** Creates a listener to chat completions, as OpenAI and the servers compatible with it send them. */
export function createChatListener(): Listener {
  const heard = nothingHeard()
  const hear = (given: unknown) => {
    const parsed = completion.safeParse(given)
    if (!parsed.success) return
    const { id, model, service_tier, choices, usage: used } = parsed.data
    heard.id = id ?? heard.id
    heard.model = model ?? heard.model
    heard.tier = service_tier ?? heard.tier
    // The last chunk, without choices, tells the usage; some servers tell it in every chunk.
    if (used) heard.usage = usageOf(used)
    for (const one of choices) if (one.index === 0) hearChoice(heard, one)
  }
  return { heard, hear, hearWhole: hear }
}

function hearChoice(
  heard: Heard,
  { delta, message, finish_reason }: z.output<typeof choice>,
): void {
  const said = delta ?? message
  heard.text += said?.content ?? ''
  heard.refused ||= (said?.refusal ?? '') !== ''
  if (finish_reason != null) heard.end = endOf(finish_reason)
}

function endOf(reason: string): End {
  if (reason === 'length') return 'truncated'
  return reason === 'content_filter' ? 'filtered' : 'completed'
}

const usageOf = ({
  prompt_tokens,
  prompt_tokens_details,
  completion_tokens,
}: z.output<typeof usage>): Usage => ({
  inputTokens: prompt_tokens,
  cachedInputTokens: Math.min(prompt_tokens, prompt_tokens_details?.cached_tokens ?? 0),
  outputTokens: completion_tokens,
  estimated: false,
})
