import type { Ask } from '../composing/ask.ts'
import type { Reply } from '../composing/reply.ts'

/** A reply with what its form on the wire needs besides. */
export interface Answer<Request> {
  request: Request
  reply: Reply
  /** The model that served it, as the provider names it: with its date. */
  model: string
  /** Hexadecimal, from which the ids on the wire are made. */
  id: string
  /** Seconds since 1970. */
  createdAt: number
  tokensPerDelta: number
  requestId: string
}

/** One event of a stream as it goes on the wire, and how many tokens of the answer it carries. */
export interface StreamedEvent {
  text: string
  tokens: number
}

/** What the log and the delivery want to know of a request. */
export interface GenerationFacts {
  model: string
  stream: boolean
  store: boolean
  serviceTier: string | null
  metadata: Record<string, string>
  /** Whether the answer, as it was asked for, tells its usage. */
  tellsUsage: boolean
}

/** One of the provider's APIs that generate text: how it is read and how it is answered. */
export interface GenerationWire<Request> {
  path: string
  /** The parameter that a schema stands in, for errors about it. */
  schemaParam: string
  /** Reads the body; throws ApiError. */
  read: (body: unknown) => Request
  /** Throws ApiError for a schema that cannot be answered. */
  ask: (request: Request) => Ask
  facts: (request: Request) => GenerationFacts
  /** The body of an answer that is not streamed; throws ApiError for a reply that is an error. */
  whole: (answer: Answer<Request>) => Record<string, unknown>
  /** The events of one that is. */
  events: (answer: Answer<Request>) => Iterable<StreamedEvent>
  /** The id that a stored answer can be read again by; null where it cannot. */
  storedId: (answer: Answer<Request>) => string | null
}

/** The tier that serves a request which names `tier`. */
export function servedTier<Tier extends string>(
  tier: Tier | null | undefined,
): Exclude<Tier, 'auto' | 'fast'> | 'default' | 'priority' {
  if (tier == null || tier === 'auto') return 'default'
  return tier === 'fast' ? 'priority' : (tier as Exclude<Tier, 'auto' | 'fast'>)
}
