import { parse } from '@almanac/domain'
import { z } from 'zod'
import type { PriceRow } from '../prices.ts'

const milliseconds = z.int({ error: 'must be whole milliseconds' }).min(1)
// Node's fetch gives up after five minutes without headers, or without a byte of the body.
const nodeMs = 300_000
const belowNode = milliseconds.max(nodeMs - 1, {
  error: 'must be below 300000: Node’s fetch itself waits no longer',
})

/** How long and how large an answer may be before the call is given up. */
export const callLimits = z.strictObject({
  /** Until the response's headers. */
  firstByteMs: belowNode.default(120_000),
  /** Between two parts of the body, keep-alive comments included. */
  idleMs: belowNode.default(60_000),
  /** For the whole call; just below what a stage may take, so that the outcome is still recorded. */
  totalMs: milliseconds.default(290_000),
  /** Characters of text in the answer. */
  answerCharacters: z.int().min(1).default(2_000_000),
  /** Bytes on the wire, where every few characters come in an event of their own. */
  wireBytes: z.int().min(1).default(64_000_000),
})
export type CallLimits = z.output<typeof callLimits>

/** `responses` is OpenAI's own API; `chat` is chat completions, which compatible servers speak. */
export type Api = 'responses' | 'chat'

/** What is asked for besides the prompt; a part of every request, so equal settings give equal bytes. */
export interface Parameters {
  temperature?: number
  reasoningEffort?: 'none' | 'minimal' | 'low' | 'medium' | 'high'
  /** In chat: what servers of older make call the limit of the answer. */
  limitField?: 'max_completion_tokens' | 'max_tokens'
  /** In chat: says the schema in the instructions too, for servers that do not enforce it. */
  describeSchema?: boolean
}

export interface OpenAiOptions {
  api: Api
  model: string
  apiKey: string
  /** Such as `https://api.openai.com/v1`, which is the default. */
  baseUrl?: string
  /** The provider key that rates and budgets count; default `openai`. */
  provider?: string
  /** The service tier to ask for; none is named in chat unless it is said. */
  tier?: 'standard' | 'flex'
  prices: readonly PriceRow[]
  parameters?: Parameters
  limits?: z.input<typeof callLimits>
}

/** The limits with their defaults; throws INPUT_INVALID. */
export const readLimits = (limits: OpenAiOptions['limits'] = {}): CallLimits =>
  parse(callLimits, limits, 'limits')

export const openAiUrl = 'https://api.openai.com/v1'
