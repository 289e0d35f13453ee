import { jobData, parse, stageNames, tenantId } from '@almanac/domain'
import type { JobData } from '@almanac/domain'
import type { StageJob } from '@almanac/pipeline'
import type { TakenJob } from './queue-backend.ts'

/** The id of a job: unique a run, stage, epoch and re-add, so that a re-add is never ignored. */
export const jobId = ({ runId, stage, epoch, n, variant }: StageJob): string =>
  variant
    ? `${runId}.variant.${epoch}.${variant.generation}-${variant.ordinal}.${n}`
    : `${runId}.${stage}.${epoch}.${n}`

/** The queues: one a stage, and that of the variants of a refinement. */
export const queueNames = [...stageNames, 'variant'] as const
export type QueueName = (typeof queueNames)[number]

export const queueOf = ({ stage, variant }: StageJob): QueueName => (variant ? 'variant' : stage)

/** What a job carries: ids, and nothing else. */
export const payload = ({ tenantId, runId, epoch, variant }: StageJob): JobData => ({
  tenantId,
  runId,
  epoch,
  ...(variant ? { variant } : {}),
})

/** The ids under which an earlier form of the job may be in the queue, the newest first. */
export function earlierIds(job: StageJob, limit: number): string[] {
  const count = Math.min(job.n, limit)
  return Array.from({ length: count }, (_, i) => jobId({ ...job, n: job.n - 1 - i }))
}

/** Reads a job that came out of the queue; throws INPUT_INVALID for what is none of ours. */
export function readJob(
  queue: QueueName,
  raw: { id?: string | undefined; data: unknown; stalledCounter: number },
): TakenJob {
  const data = parse(jobData, raw.data, 'job')
  const n = Number(raw.id?.split('.').at(-1) ?? 0)
  return {
    tenantId: parse(tenantId, data.tenantId, 'job.tenantId'),
    runId: data.runId,
    epoch: data.epoch,
    stage: queue === 'variant' ? 'refine' : queue,
    ...(data.variant ? { variant: data.variant } : {}),
    n: Number.isSafeInteger(n) ? n : 0,
    redelivered: raw.stalledCounter > 0,
  }
}
