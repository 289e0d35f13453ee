import { z } from 'zod'
import { probabilities } from './faults/fault-book.ts'
import { latency } from './latency.ts'
import { limits } from './rate-limits.ts'

export const seed = z.union([z.string(), z.number()]).transform(String)

/** What can be changed while the simulator runs. */
export const settings = z.strictObject({
  /** Decides, with the bytes of a request, everything that is answered to it. */
  seed: seed.default('1'),
  latency: latency.prefault({}),
  limits: limits.prefault({}),
  probabilities: probabilities.prefault({}),
  /** The share of every input that is billed as cached, in steps of 128 tokens. */
  cachedInputShare: z.number().min(0).max(1).default(0),
})
export type Settings = z.output<typeof settings>

/** All options of a simulator; whatever is left out has a default. */
export const simulatorOptions = settings.extend({
  host: z.string().default('127.0.0.1'),
  /** The bearer keys that are let in; any key where there is no list. */
  keys: z.array(z.string().min(1)).optional(),
  /** Names of models to play besides the provider's. */
  models: z.array(z.string().min(1)).default([]),
  /** Requests in the log at most; the simulator refuses more, so that it loses none. */
  maxLogEntries: z.int().min(1).default(100_000),
  /** Bytes of bodies in the log at most; beyond, the oldest bodies go and their hashes stay. */
  maxLogBodyBytes: z
    .int()
    .min(0)
    .default(256 * 1024 * 1024),
  /** A file that every arrival and end is appended to, one JSON object a line. */
  logFile: z.string().optional(),
})
export type SimulatorOptions = z.input<typeof simulatorOptions>
