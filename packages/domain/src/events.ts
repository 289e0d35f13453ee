import { z } from 'zod'
import { parkReasons, stageNames } from './states.ts'

const stage = z.enum(stageNames)
const reasonName = z.enum(Object.keys(parkReasons) as [keyof typeof parkReasons])

const budgetUnit = z.enum(['micro-USD', 'tokens'])

/** Every event with its payload: ids, states and codes only, never content. */
export const events = {
  'run.queued': z.strictObject({ stage, because: z.string().optional() }),
  'run.started': z.strictObject({ stage }),
  'run.stage_completed': z.strictObject({ stage, durationMs: z.int() }),
  'run.stage_failed': z.strictObject({
    stage,
    try: z.int(),
    code: z.string(),
    retryAt: z.string(),
  }),
  'run.parked': z.strictObject({ stage, reason: reasonName, wakeAt: z.string() }),
  'run.output_reused': z.strictObject({ stage, callKey: z.string(), fromRunId: z.string() }),
  'run.delivery_skipped': z.strictObject({ because: z.enum(['unchanged']), against: z.string() }),
  'run.taken_over': z.strictObject({ stage, epoch: z.int() }),
  'run.cancelling': z.strictObject({ by: z.string() }),
  'run.succeeded': z.strictObject({ score: z.number(), artifacts: z.array(z.string()) }),
  'run.failed': z.strictObject({ stage, code: z.string() }),
  'run.blocked': z.strictObject({ stage, code: z.string() }),
  'run.cancelled': z.strictObject({ by: z.string() }),
  'run.retracted': z.strictObject({ by: z.string(), reason: z.string() }),
  'period.missed': z.strictObject({ periodKey: z.string(), reason: z.string() }),
  'period.late': z.strictObject({ periodKey: z.string(), reason: z.string() }),
  'period.skipped': z.strictObject({ periodKey: z.string(), reason: z.string() }),
  'checkpoint.requested': z.strictObject({ checkpointId: z.string(), expiresAt: z.string() }),
  'checkpoint.reminded': z.strictObject({ checkpointId: z.string(), expiresAt: z.string() }),
  'checkpoint.decided': z.strictObject({ checkpointId: z.string(), decision: z.string() }),
  'checkpoint.expired': z.strictObject({ checkpointId: z.string() }),
  'budget.nearing': z.strictObject({ level: z.string(), unit: budgetUnit, percent: z.int() }),
  'budget.exhausted': z.strictObject({ level: z.string(), unit: budgetUnit }),
  'budget.overrun': z.strictObject({
    level: z.string(),
    microUsd: z.int(),
    callKey: z.string(),
  }),
  'source.broken': z.strictObject({ sourceId: z.string(), reason: z.string() }),
  'artifact.superseded': z.strictObject({ runId: z.string(), by: z.string() }),
  'specification.paused': z.strictObject({ specificationId: z.string(), reason: z.string() }),
  'specification.quarantined': z.strictObject({ specificationId: z.string(), reason: z.string() }),
} as const

export type EventName = keyof typeof events
export type EventPayload<N extends EventName> = z.output<(typeof events)[N]>
export type AlmanacEvent = { [N in EventName]: { type: N; data: EventPayload<N> } }[EventName]

/** The names of run events, the ones that `GET /v1/runs/:id/events` streams. */
export const eventNames = Object.keys(events) as EventName[]
