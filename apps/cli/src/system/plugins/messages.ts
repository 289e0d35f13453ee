import { z } from 'zod'

/** The lists of hooks that a plugin may register, as they are called in messages and errors. */
export const hookNames = [
  'engines',
  'kinds',
  'metrics',
  'judges',
  'exporters',
  'deliverers',
  'variants',
  'merges',
  'terminations',
] as const
export type HookName = (typeof hookNames)[number]

/** One method of one hook: `render.html` of the plugin's first kind of document. */
export const target = z.strictObject({
  hook: z.enum(hookNames),
  index: z.int().min(0),
  method: z.string(),
})
export type Target = z.output<typeof target>

/** What the thread of a plugin is told. */
export const order = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('call'),
    id: z.int(),
    target,
    args: z.array(z.unknown()),
    /** Whether the method gets an AbortSignal as its last argument. */
    abortable: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('abort'), id: z.int() }),
  /** Answered whatever the plugin waits for: a thread that is silent is in an endless loop. */
  z.strictObject({ kind: z.literal('ping'), id: z.int() }),
])
export type Order = z.output<typeof order>

/** What the thread of a plugin tells. */
export const reply = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready'), manifest: z.unknown() }),
  z.strictObject({ kind: z.literal('refused'), reason: z.string() }),
  z.strictObject({ kind: z.literal('answered'), id: z.int(), value: z.unknown() }),
  z.strictObject({ kind: z.literal('threw'), id: z.int(), reason: z.string() }),
])
export type Reply = z.output<typeof reply>
