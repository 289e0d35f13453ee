import { z } from 'zod'
import { catalogueKey } from './catalogue.ts'

/**
 * The values of guarded refinement: what it may use, what ends it, and the words for its states. The
 * guard that judges them is in `refinement`; they stand here because specifications and the API hold them.
 */

const whole = (low: number, high: number) => {
  const error = `must be a whole number from ${low} to ${high}`
  return z.int({ error }).min(low, { error }).max(high, { error })
}
const between = (low: number, high: number) => {
  const error = `must be a number from ${low} to ${high}`
  return z.number({ error }).min(low, { error }).max(high, { error })
}

/** What one root (a run's tree of versions) may use. Money in micro-USD, tokens of all its calls. */
export const refinementLimits = z.strictObject({
  /** Generations, one below the other. */
  maxDepth: whole(1, 10).default(3),
  /** Variants of all generations together. */
  maxChildren: whole(1, 100).default(12),
  microUsd: whole(0, 1_000_000_000).default(500_000),
  tokens: whole(1, 10_000_000).default(80_000),
  /** The share of a limit from which a recorded decision is needed; it may be lowered, never raised. */
  checkpointRatio: between(0.1, 0.8).default(0.8),
  /** What a version's score loses with each generation between it and the first one. */
  decay: between(0, 0.5).default(0.05),
  /** Variants of one generation, unless told. */
  variants: whole(1, 12).default(3),
  checkpointExpiryMinutes: whole(1, 10_080).default(1_440),
})
export type RefinementLimits = z.output<typeof refinementLimits>

/**
 * The complexity above which a phase of a workflow is expanded into sub-phases. There is no default: what
 * is not told expands nothing. How complex a phase is: `complexityOf` in `documents`.
 */
export const expandAbove = whole(5, 1_000)

const anyNumber = z.number({ error: 'must be a number' })
const anyCount = z.int({ error: 'must be a whole number' })

/** One condition that ends a refinement. Whether it can come true is the guard's to judge. */
export const terminationCondition = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('depth_reached'), depth: anyCount }),
  z.strictObject({
    type: z.literal('cost_ceiling'),
    microUsd: anyCount.optional(),
    tokens: anyCount.optional(),
  }),
  /** The best score has risen by no more than `epsilon` in each of the last `patience` generations. */
  z.strictObject({
    type: z.literal('quality_plateau'),
    epsilon: anyNumber,
    patience: anyCount,
  }),
  z.strictObject({ type: z.literal('target_score'), score: anyNumber }),
  /** A condition that a plugin brings, by its name; it counts only beside one of the others. */
  z.strictObject({ type: z.literal('plugin'), name: catalogueKey }),
])
export type TerminationCondition = z.output<typeof terminationCondition>

/** The conditions of a refinement: it ends as soon as one of them holds. */
export const termination = z.array(terminationCondition).min(1).max(8)
export type Termination = z.output<typeof termination>

/** How versions are merged, unless a plugin does it. */
export const mergeStrategies = ['three-way', 'additive'] as const
export type MergeStrategy = (typeof mergeStrategies)[number]

/** Which strategies a refinement uses, by name: Almanac's own, and those of plugins. */
export const refinementStrategies = z.strictObject({
  /** What says what variants are told; a generation's variants are shared out among them in this order. */
  variants: z
    .array(catalogueKey)
    .min(1)
    .max(8)
    .refine((names) => new Set(names).size === names.length, {
      error: 'must not name a strategy twice',
    })
    .exactOptional(),
  /** What makes one document of several. */
  merge: catalogueKey.exactOptional(),
})
export type RefinementStrategies = z.output<typeof refinementStrategies>

/** Why a refinement ended; always with the best version that it had. */
export const stopReasons = [
  'target',
  'plateau',
  'depth',
  'plugin',
  'children',
  'cost',
  'deadline',
  'denial',
  'expiry',
  'merge_rejected',
  'no_children',
  'refused',
  'error',
] as const
export type StopReason = (typeof stopReasons)[number]

export const generationKinds = ['variant', 'expand'] as const
export type GenerationKind = (typeof generationKinds)[number]

/** What a generation is of, for people: `3 variants`, `1 phase to expand`. */
export function childrenText({
  kind,
  children,
}: {
  kind: GenerationKind
  children: number
}): string {
  const [noun, more] = kind === 'expand' ? ['phase', ' to expand'] : ['variant', '']
  return `${children} ${noun}${children === 1 ? '' : 's'}${more}`
}

export const variantStates = ['open', 'done', 'failed', 'cancelled'] as const
export type VariantState = (typeof variantStates)[number]

/** How a checkpoint was answered; `voided`: the limits that it stood for were changed. */
export const checkpointDecisions = ['approved', 'denied', 'expired', 'cancelled', 'voided'] as const
export type CheckpointDecision = (typeof checkpointDecisions)[number]

/** Where a checkpoint stands: it waits, somebody or something has decided it, or its time is over. */
export const checkpointStates = ['pending', 'decided', 'expired'] as const
export type CheckpointState = (typeof checkpointStates)[number]

/** Why an answer to a checkpoint was refused; each such refusal is recorded. */
export const answerRefusals = [
  'unknown',
  'not_allowed',
  'own_request',
  'reused',
  'expired',
  'stale',
] as const
export type AnswerRefusal = (typeof answerRefusals)[number]
