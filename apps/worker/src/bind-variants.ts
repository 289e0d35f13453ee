import type { RunId } from '@almanac/domain'
import {
  runVariant,
  type VariantJob,
  type VariantKey,
  type VariantPorts,
  type VariantSweep,
} from '@almanac/pipeline'
import type { JobFate, NewJob, QueueBackend, StageWorker, TakenJob } from '@almanac/queue'
import type { ActiveRuns } from './active-runs.ts'
import type { Log } from './log.ts'
import type { LoopWork } from './loop.ts'
import { placesOf, type StageLimits } from './stage-concurrency.ts'

export interface VariantWorkParts {
  ports: VariantPorts
  backend: Pick<QueueBackend, 'add' | 'stageWorker'>
  active: ActiveRuns
  limits: StageLimits
  /** How long a variant's calls may take in all. */
  timeoutMs: number
  log: Log
  /** The last variant of a generation was closed: its run is queued. */
  onGenerationEnd(runId: RunId): void
  onError(error: unknown): void
}

export interface VariantWorker {
  worker: StageWorker
  /** Aborts the calls of variants that nobody waits for any more. */
  watch(variants: Pick<VariantSweep, 'wanted'>): LoopWork
}

/** A variant's job as the queue takes it; `epoch` only makes its id, the variant's state fences it. */
export const variantJobOf = ({ tenantId, runId, generation, ordinal, n }: VariantJob): NewJob => ({
  tenantId,
  runId,
  stage: 'refine',
  epoch: 0,
  n,
  variant: { generation, ordinal },
})

/** The worker of the variants' queue: takes their jobs, each independent of the others. */
export function bindVariants(parts: VariantWorkParts): VariantWorker {
  const { backend, limits, onError } = parts
  const running = new Map<AbortController, VariantKey>()
  return {
    worker: backend.stageWorker('variant', {
      ...placesOf('variant', limits),
      process: (job, closing) => process(parts, running, job, closing),
      onError,
    }),
    watch: (variants) => ({
      name: 'variants',
      everyMs: 500,
      pass: async () => {
        if (running.size === 0) return false
        const entries = [...running]
        const wanted = await variants.wanted(entries.map(([, key]) => key))
        const names = new Set(wanted.map(nameOf))
        for (const [controller, key] of entries)
          if (!names.has(nameOf(key)))
            controller.abort(new Error('nobody waits for the variant any more'))
        return false
      },
    }),
  }
}

const nameOf = ({ runId, generation, ordinal }: VariantKey): string =>
  `${runId}/${generation}/${ordinal}`

async function process(
  { ports, active, timeoutMs, log, onGenerationEnd }: VariantWorkParts,
  running: Map<AbortController, VariantKey>,
  { tenantId, runId, variant }: TakenJob,
  closing: AbortSignal,
): Promise<JobFate> {
  if (!variant) return { kind: 'done' }
  const key: VariantKey = { tenantId, runId, ...variant }
  const entry = active.enter(runId)
  const unwanted = new AbortController()
  running.set(unwanted, key)
  const leaving = AbortSignal.any([closing, entry.signal, unwanted.signal])
  const started = performance.now()
  try {
    const end = await runVariant(key, ports, leaving, timeoutMs)
    const durationMs = Math.round(performance.now() - started)
    log.info({ run: runId, tenant: tenantId, ...variant, durationMs, ...endOf(end) }, 'variant')
    if (end.kind === 'again') return end
    if (end.kind === 'closed' && end.remaining === 0) onGenerationEnd(runId)
    return end.kind === 'dropped' && closing.aborted ? { kind: 'back' } : { kind: 'done' }
  } finally {
    running.delete(unwanted)
    entry.leave()
  }
}

const endOf = ({ kind: end, ...rest }: Awaited<ReturnType<typeof runVariant>>) => ({ end, ...rest })
