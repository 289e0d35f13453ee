import { z } from 'zod'
import { scope } from './catalogue.ts'
import { runId, specificationId } from './ids.ts'
import { metadata } from './specification.ts'
import { stageNames } from './states.ts'

export const onConflicts = ['refuse', 'wait', 'return_existing'] as const
export const triggers = ['api', 'cli', 'schedule', 'backfill', 'retry', 'rerun'] as const
export type Trigger = (typeof triggers)[number]

/** A request for one run; the body of POST /v1/runs. */
export const runRequest = z.strictObject({
  specificationId,
  /** The period's key, such as 2022-W10; default: the last complete one. */
  period: z.string().max(20).optional(),
  /** A part of the specification's scope; a narrowed success uses up the period all the same. */
  narrow: scope.partial().optional(),
  onConflict: z.enum(onConflicts).default('refuse'),
  /** A trial: takes no period, goes to no live destination, is watermarked. */
  test: z.boolean().default(false),
  /** Who starts it, for the record: a program, a person at the CLI, or a backfill. */
  trigger: z.enum(['api', 'cli', 'backfill']).default('api'),
  /** Do not reuse an earlier output of the same package. */
  fresh: z.boolean().default(false),
  metadata: metadata.default({}),
  externalId: z.string().max(200).optional(),
})
export type RunRequest = z.output<typeof runRequest>
export type RunRequestInput = z.input<typeof runRequest>

/** Where a retry or rerun came from. */
export const origin = z.strictObject({
  runId,
  fromStage: z.enum(stageNames),
  supersedes: runId.optional(),
  /** The ordinal of the granted slot. */
  grant: z.int().min(1).optional(),
})
export type Origin = z.output<typeof origin>

/** What a queue's job carries: ids, never content. */
export const jobData = z.strictObject({
  tenantId: z.string(),
  runId,
  epoch: z.int().min(0),
  /** Of a variant's job. */
  variant: z.strictObject({ generation: z.int().min(1), ordinal: z.int().min(1) }).exactOptional(),
})
export type JobData = z.output<typeof jobData>
