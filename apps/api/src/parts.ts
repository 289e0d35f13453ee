import type { Database } from '@almanac/db'
import type { Clock, Content } from '@almanac/pipeline'
import type { Logger } from '@almanac/runtime'
import type { ReadinessCheck } from './health.ts'

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
  /** Tells the admission loop that there may be something to admit; returns at once. */
  wake: () => void
  /** What `/readyz` asks, beside whether the process answers. */
  ready: readonly ReadinessCheck[]
  limits?: Partial<ApiLimits>
  /** The address of a path as callers see it, for `Location`; default: the path. */
  urlOf?: (path: string) => string
  clock?: Clock
  /** Aborted when the process begins to end: streams end, and nobody waits any longer. */
  closing?: AbortSignal
  /** Whether answers are held against their schemas before they are sent; not in production. */
  checkAnswers?: boolean
}

/** The options with everything decided. */
export type ApiParts = Required<Omit<ApiOptions, 'limits'>> & { limits: ApiLimits }
