import type { Usage } from '@almanac/pipeline'

/** How an answer ended, as its last event says; `failed` is the provider's own failure. */
export type End = 'completed' | 'truncated' | 'filtered' | 'failed'

/** What was heard of an answer up to now. */
export interface Heard {
  text: string
  refused: boolean
  /** Undefined while the answer goes on, and for ever if the connection broke. */
  end: End | undefined
  /** The provider's code of a failure. */
  code: string | undefined
  /** Undefined when the provider did not say, or said what cannot be. */
  usage: Usage | undefined
  model: string | undefined
  tier: string | undefined
  id: string | undefined
}

/** Listens to one answer. Events are the provider's words: read, never trusted, unknown ones ignored. */
export interface Listener {
  /** Takes the next event of a stream. */
  hear(event: unknown): void
  /** Takes an answer that came whole, from a server that does not stream. */
  hearWhole(answer: unknown): void
  readonly heard: Heard
}

export const nothingHeard = (): Heard => ({
  text: '',
  refused: false,
  end: undefined,
  code: undefined,
  usage: undefined,
  model: undefined,
  tier: undefined,
  id: undefined,
})
