import type { Engine, Outcome } from '@almanac/pipeline'
import { z } from 'zod'
import type { PluginThread } from './plugin-thread.ts'

const count = z.int().min(0)
const usage = z.object({
  inputTokens: count,
  cachedInputTokens: count,
  outputTokens: count,
  estimated: z.boolean(),
})
const served = z.object({ model: z.string(), tier: z.string() })
const load = z.object({ left: count, resetMs: count.exactOptional() })
const told = z
  .object({ requests: load.exactOptional(), tokens: load.exactOptional() })
  .exactOptional()

/** What an engine may say that became of a call. */
const outcome: z.ZodType<Outcome> = z.union([
  z.object({
    kind: z.literal('completed'),
    output: z.unknown(),
    ...{ usage, served, requestId: z.string(), told },
  }),
  z.object({
    kind: z.enum(['truncated', 'refused', 'filtered']),
    ...{ usage, served, requestId: z.string(), told },
  }),
  z.object({
    kind: z.literal('not_billed'),
    reason: z.enum(['rate', 'overloaded', 'flex_unavailable']),
    retryAfterMs: count.exactOptional(),
    told,
  }),
  z.object({
    kind: z.literal('unknown'),
    reason: z.enum(['timeout', 'reset', 'server_error']),
    told,
  }),
  z.object({ kind: z.literal('billing_stop'), code: z.string(), told }),
  z.object({ kind: z.literal('misconfigured'), status: z.int(), code: z.string(), told }),
])

/** Longer than any stage runs: the stage's own signal ends a call before. */
const timeoutMs = 3_600_000

/** The engines of a plugin. An answer that was lost or makes no sense rejects: it may have been billed. */
export const pluginEngines = (thread: PluginThread): Engine[] =>
  thread.manifest.engines.map(({ name, model, provider }, index): Engine => {
    const at = (method: string) => ({ hook: 'engines', index, method }) as const
    const now = <S extends z.ZodType>(schema: S, method: string, ...args: unknown[]) =>
      thread.callNow(at(method), args, schema)
    return {
      ...{ name, model, provider },
      body: (request) => now(z.string(), 'body', request),
      estimate: (request, instant) =>
        now(z.object({ microUsd: count, tokens: count }), 'estimate', request, instant),
      price: (used, by, instant) => now(count, 'price', used, by, instant),
      generate: (request, body, signal) =>
        thread.call(at('generate'), [request, body], { answer: outcome, timeoutMs, signal }),
    }
  })
