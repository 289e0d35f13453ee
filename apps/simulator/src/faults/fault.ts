import { z } from 'zod'

const seconds = z.number().min(0).nullable()
/** Whether the provider bills an answer that nobody gets: nothing is generated otherwise. */
const billed = z.boolean().default(false)

/**
 * Everything that can go wrong, by name, with its parameters. The first group answers an error in
 * place of the answer; the second does something to the connection; the third to the answer.
 */
const fault = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('rate_429'), retryAfterSeconds: seconds.default(1) }),
  z.strictObject({
    name: z.literal('billing_429'),
    /** Such as `credit_balance_exhausted` or `project_spend_limit_exceeded`. */
    code: z.string().min(1).default('insufficient_quota'),
  }),
  z.strictObject({ name: z.literal('flex_unavailable_429') }),
  z.strictObject({ name: z.literal('server_500') }),
  z.strictObject({ name: z.literal('overloaded_503'), retryAfterSeconds: seconds.default(null) }),
  z.strictObject({ name: z.literal('unauthorized_401') }),
  z.strictObject({ name: z.literal('model_404') }),

  z.strictObject({ name: z.literal('hang'), billed }),
  z.strictObject({ name: z.literal('reset_before_first_byte'), billed }),
  z.strictObject({ name: z.literal('wrong_content_type') }),
  z.strictObject({
    name: z.literal('reset_mid_stream'),
    /** The share of the answer that is sent before the connection is reset. */
    afterShare: z.number().min(0).max(1).default(0.5),
  }),
  z.strictObject({ name: z.literal('slow_drip'), intervalMs: z.number().min(0).default(250) }),

  z.strictObject({ name: z.literal('stream_error') }),
  z.strictObject({ name: z.literal('response_failed') }),
  z.strictObject({ name: z.literal('truncated'), tokens: z.int().min(0).optional() }),
  z.strictObject({ name: z.literal('refused') }),
  z.strictObject({ name: z.literal('filtered') }),
  z.strictObject({ name: z.literal('malformed_json') }),
  z.strictObject({ name: z.literal('schema_ignored') }),
  z.strictObject({ name: z.literal('limit_ignored') }),
  z.strictObject({ name: z.literal('out_of_scope'), text: z.string().min(1).optional() }),
  z.strictObject({
    name: z.literal('invented_citation'),
    id: z.string().min(1).default('invented/0000-00000'),
  }),
  z.strictObject({ name: z.literal('injected_instruction_followed') }),
  z.strictObject({
    name: z.literal('items_left_out'),
    /** The items of each section that stay; what is answered is valid, and not all there is. */
    keep: z.int().min(1).default(1),
  }),
  z.strictObject({
    name: z.literal('missing_usage'),
    as: z.enum(['absent', 'null']).default('absent'),
  }),
  z.strictObject({ name: z.literal('usage_above_hold'), factor: z.number().min(1).default(3) }),
  z.strictObject({
    name: z.literal('huge_5mb'),
    bytes: z
      .int()
      .min(1)
      .default(5 * 1024 * 1024),
  }),
])
export type Fault = z.output<typeof fault>
export type FaultName = Fault['name']

export const faultNames = fault.options.map(({ shape }) => shape.name.value)
export const faultName = z.enum(faultNames)

/** A fault as people write it: its name, or its name with parameters. */
export const faultInput = z.union([faultName.transform((name) => fault.parse({ name })), fault])

const insteadNames = [
  'rate_429',
  'billing_429',
  'flex_unavailable_429',
  'server_500',
  'overloaded_503',
  'unauthorized_401',
  'model_404',
  'hang',
  'reset_before_first_byte',
  'wrong_content_type',
] as const satisfies FaultName[]

/** A fault that comes in place of an answer, and so can be played on any request. */
export type InsteadFault = Extract<Fault, { name: (typeof insteadNames)[number] }>

const instead: ReadonlySet<FaultName> = new Set(insteadNames)

/** Whether a fault spoils a generated answer; those for embeddings know only the others. */
export const needsGeneration = (fault: Fault): fault is Exclude<Fault, InsteadFault> =>
  !instead.has(fault.name)
