import type { Database } from '@almanac/db'
import type { DocumentKinds } from '@almanac/documents'
import type {
  Clock,
  Content,
  RateLimits,
  RunEstimate,
  RunFacts,
  Strategies,
} from '@almanac/pipeline'
import type { Logger } from '@almanac/runtime'
import type { Readiness } from './health.ts'

export interface ApiLimits {
  /** Bytes of a JSON body, after decompression. */
  jsonBytes: number
  /** Bytes of an evidence import, after decompression; what came before the limit is kept. */
  importBytes: number
  /** Bytes of one line of an import; a longer one is refused, the others are kept. */
  lineBytes: number
  /** Seconds that `Prefer: wait` may ask for. */
  waitSeconds: number
  /** Milliseconds between the comments that keep an idle event stream open. */
  heartbeatMs: number
  /** Milliseconds for which an authenticated key is not looked up again. */
  keyCacheMs: number
}

export const apiLimits: ApiLimits = {
  jsonBytes: 1_048_576,
  importBytes: 256 * 1_048_576,
  lineBytes: 1_048_576,
  waitSeconds: 60,
  heartbeatMs: 5_000,
  keyCacheMs: 5_000,
}

export type ApiLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

/** What the API is made of; an app's main brings it. */
export interface ApiOptions {
  db: Database
  content: Content
  log: ApiLog
  /** By which versions are compared; default: the kinds that Almanac brings. */
  kinds?: DocumentKinds
  /** Which strategies a specification may name beside Almanac's own; default: none. */
  strategies?: Strategies
  /** Tells the admission loop that there may be something to admit; returns at once. */
  wake: () => void
  /** Tells this process's worker that a run of its may be cancelling; others look every 500 ms. */
  wakeCancel?: () => void
  /** Whether this process has a worker that tells of every run that it ends (`runEnded`). */
  tellsEnds?: boolean
  /** What `/readyz` asks, beside the database. */
  ready?: Readiness
  limits?: Partial<ApiLimits>
  /** The address of a path as callers see it, for `Location`; default: the path. */
  urlOf?: (path: string) => string
  clock?: Clock
  /** The provider that this installation's engine calls, with what may be sent to it a minute. */
  provider?: { name: string; rates: RateLimits }
  /** What a run would cost, from the package that it would have; without it, history answers. */
  estimateRun?: (run: RunFacts, signal: AbortSignal) => Promise<RunEstimate>
  /**
   * Secrets of at least 32 bytes that sign links to checkpoints and previews of decisions: the first
   * signs, all are honoured. Default: one of this process, whose links end with it.
   */
  linkKeys?: readonly Uint8Array[]
  /** Whether answers are held against their schemas before they are sent; not in production. */
  checkAnswers?: boolean
}

/** The options with everything decided. */
export type ApiParts = Required<Omit<ApiOptions, 'limits' | 'estimateRun' | 'provider'>> & {
  estimateRun?: NonNullable<ApiOptions['estimateRun']>
  provider?: NonNullable<ApiOptions['provider']>
  limits: ApiLimits
  /** Aborts when the server begins to close: streams end, and nobody waits any longer. */
  closing: AbortSignal
}
