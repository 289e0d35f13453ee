import type { Fault, FaultName } from '../faults/fault.ts'
import { seededNumbers } from '../seeded.ts'
import { countTokens, firstTokens } from '../tokens.ts'
import type { Ask } from './ask.ts'
import { composeDraft, textOf } from './draft.ts'
import { prose } from './prose.ts'
import { spoilDraft } from './spoil.ts'

/** Tokens of one request, as the provider bills them. */
export interface Usage {
  inputTokens: number
  /** Those of the input that are billed as cached. */
  cachedTokens: number
  outputTokens: number
}

/** How a reply ends: `error` breaks off with an error that is no response. */
export type ReplyEnd = 'completed' | 'truncated' | 'filtered' | 'refused' | 'failed' | 'error'

/** A whole answer, before it takes the form of one of the provider's APIs. */
export interface Reply {
  text: string
  end: ReplyEnd
  usage: Usage
  /** How the usage is told. */
  shown: 'full' | 'absent' | 'null'
  /** Whether the text is a report that the input's run package bears out. */
  grounded: boolean
}

export interface ReplyTo {
  ask: Ask
  fault: Fault | undefined
  seed: string
  requestHash: string
  /** The share of the input that is billed as cached. */
  cachedInputShare: number
}

const refusal = "I'm sorry, but I can't assist with that request."

/** Composes the reply to a request, with whatever its fault spoils. Throws SchemaError. */
export function composeReply({ ask, fault, seed, requestHash, cachedInputShare }: ReplyTo): Reply {
  const draft = spoilDraft(composeDraft(ask, seed, requestHash), fault)
  const numbers = seededNumbers(seed, 'prose', requestHash)
  const whole = spoilText(textOf(draft), fault, () => prose(numbers, 300))
  const { text, end } = cut(whole, fault, ask.maxOutputTokens)
  return {
    text,
    end,
    usage: {
      inputTokens: ask.inputTokens,
      // Cached input is counted in steps of 128, as the provider does.
      cachedTokens: Math.floor((ask.inputTokens * cachedInputShare) / 128) * 128,
      outputTokens: outputTokens(text, end, fault, ask.maxOutputTokens),
    },
    shown: fault?.name === 'missing_usage' ? fault.as : 'full',
    grounded: draft.kind === 'report',
  }
}

function spoilText(text: string, fault: Fault | undefined, otherProse: () => string): string {
  if (fault?.name === 'refused') return refusal
  if (fault?.name === 'malformed_json') return `${text.slice(0, -1)},`
  return fault?.name === 'schema_ignored' ? otherProse() : text
}

/** How the faults end that break an answer off half-way. */
const halfWay: Partial<Record<FaultName, ReplyEnd>> = {
  filtered: 'filtered',
  response_failed: 'failed',
  stream_error: 'error',
}

/** The part of a text that is sent, and how it ends. */
function cut(
  text: string,
  fault: Fault | undefined,
  limit = Infinity,
): Pick<Reply, 'text' | 'end'> {
  if (fault?.name === 'refused') return { text, end: 'refused' }
  const half = Math.ceil(countTokens(text) / 2)
  if (fault?.name === 'truncated')
    return { text: firstTokens(text, fault.tokens ?? Math.min(limit, half)), end: 'truncated' }
  const end = fault && halfWay[fault.name]
  if (end) return { text: firstTokens(text, half), end }
  const isUnlimited = fault?.name === 'limit_ignored' || fault?.name === 'huge_5mb'
  if (isUnlimited || countTokens(text) <= limit) return { text, end: 'completed' }
  return { text: firstTokens(text, limit), end: 'truncated' }
}

/** A truncated answer is billed up to its limit, which is where the provider stops. */
function outputTokens(
  text: string,
  end: ReplyEnd,
  fault: Fault | undefined,
  limit: number | undefined,
): number {
  const sent = countTokens(text)
  if (fault?.name === 'usage_above_hold') return Math.ceil(fault.factor * (limit ?? sent))
  return end === 'truncated' ? Math.max(sent, limit ?? 0) : sent
}
