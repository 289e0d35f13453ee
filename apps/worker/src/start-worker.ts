import { hostname } from 'node:os'
import type { RunId, TenantId } from '@almanac/domain'
import {
  pipeline,
  variantTimeoutMs,
  type AnyStage,
  type ControlName,
  type Operations,
  type RunnerPorts,
  type StageLog,
} from '@almanac/pipeline'
import type { QueueBackend, StageWorker } from '@almanac/queue'
import { createActiveRuns, watchCancels } from './active-runs.ts'
import { bindStages, type StageWorkers } from './bind-stages.ts'
import { bindVariants, variantJobOf } from './bind-variants.ts'
import type { Deliverer } from './deliverer.ts'
import { keepLease } from './lease-keeper.ts'
import type { Log } from './log.ts'
import { startLoop, type LeaderLoopWork, type RunningLoop } from './loop.ts'
import { admit } from './loops/admit.ts'
import { chain } from './loops/chain.ts'
import { deliver } from './loops/deliver.ts'
import { sweep } from './loops/sweep.ts'
import { tick } from './loops/tick.ts'
import { defaultConcurrency, type StageLimits } from './stage-concurrency.ts'
import {
  applyStageControls,
  capacityOf,
  watchControls,
  type ControlledWorkers,
} from './stage-controls.ts'
import { watchSpending } from './watch-spending.ts'

export interface WorkerOptions {
  /** What stages and runner need; the worker adds the log and the prompt of the delivery loop. */
  ports: Omit<RunnerPorts, 'log' | 'deliveries'>
  operations: Operations
  backend: QueueBackend
  /** Where deliveries can go, by the name that a delivery row has. */
  deliverers: Readonly<Record<string, Deliverer>>
  /** The names of those that take each finished document; default: all of them. */
  deliverTo?: readonly string[]
  log: Log
  version: string
  /** A run ended in a worker of this process. */
  onRunEnd?: (runId: RunId) => void
  /** The lease is lost: others take over; the process must exit. */
  onLost(): void
  /** Jobs at once at most, by stage, and of variants; default: of `execute`, as for an engine that is waited for. */
  limits?: StageLimits
  /** Jobs at once of all workers together; default: what this process runs. */
  capacity?: () => number
  /** The list of stages; another one is for benchmarks and tests. */
  stages?: readonly AnyStage[]
  /** How long a variant's calls may take in all, in milliseconds. */
  variantTimeoutMs?: number
}

export interface RunningWorker {
  /** Runs were queued or have ended: admission looks now, and not with its next pass. */
  wake(): void
  /** A run was cancelled or a tenant stopped: running jobs are looked at now. */
  wakeCancel(): void
  /**
   * Takes no more work, waits `graceMs` for what runs, hands the rest back, and gives up the lease.
   * The queue and the database stay open.
   */
  stop(graceMs: number): Promise<void>
  stats(): WorkerStats
}

export interface WorkerStats {
  /** Milliseconds until the lease ends unless it is renewed. */
  leaseLeftMs: number
  /** By stage, and of variants. */
  stages: Partial<Record<ControlName, { active: number; concurrency: number; paused: boolean }>>
  loops: { name: string; leading: boolean; passes: number }[]
}

/**
 * Starts everything that a worker process does: a lease, one queue worker a stage, the leader loops,
 * and the watch over pauses and cancels.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { ports, operations, backend, log, deliverers, stages = pipeline } = options
  const { controls, marks, leadership } = operations
  const { workerId } = ports.identity
  const { limits = { execute: defaultConcurrency.execute } } = options
  const active = createActiveRuns()
  const obeyed = await controls.read()
  // Whatever can fail has been done: nothing after this leaves a lease behind.
  const lease = await keepLease({
    leases: operations.leases,
    worker: { id: workerId, host: hostname(), pid: process.pid, version: options.version },
    log,
    onLost: () => {
      active.abortAll(new Error('the lease of the worker is lost'))
      options.onLost()
    },
  })

  // What was not handed on is found by the sweep.
  const refinement: typeof ports.refinement = {
    ...ports.refinement,
    enqueue: (jobs) => backend.add(jobs.map(variantJobOf)),
  }
  const onError = (cause: unknown) => {
    log.warn({ worker: workerId, cause }, 'a job or its queue failed')
  }
  const workers: StageWorkers = bindStages({
    stages,
    ports: {
      ...ports,
      refinement,
      log: (line) => {
        logStage(log, line)
      },
      // The loop that this process may lead; another process's finds the delivery within a second.
      deliveries: {
        deliverers: options.deliverTo ?? Object.keys(deliverers),
        prompt: () => {
          loops.deliver.wake()
          return Promise.resolve()
        },
      },
    },
    marks,
    backend,
    active,
    limits,
    onRunLeft: (runId, over) => {
      if (over) options.onRunEnd?.(runId)
      loops.admit.wake()
    },
    onError,
  })
  const variants = bindVariants({
    ports: { ...ports, refinement },
    backend,
    active,
    limits,
    timeoutMs: options.variantTimeoutMs ?? variantTimeoutMs,
    log,
    onGenerationEnd: () => {
      loops.admit.wake()
    },
    onError,
  })
  const controlled: ControlledWorkers = new Map<ControlName, StageWorker>([
    ...workers,
    ['variant', variants.worker],
  ])
  applyStageControls(obeyed, controlled, limits)

  const capacity = options.capacity ?? (() => capacityOf(workers))
  const { rates, spending, engine } = ports
  const mayCall = async (tenantIds: readonly TenantId[]): Promise<ReadonlySet<TenantId>> => {
    const able = [...spending.spending(engine.provider, tenantIds)]
    return rates.room(engine.provider, able)
  }
  const wakeAdmit = () => {
    loops.admit.wake()
  }
  const leader = (work: LeaderLoopWork): RunningLoop => startLoop({ ...work, leadership }, log)
  const loops = {
    admit: leader(admit({ admission: operations.admission, backend, capacity, mayCall })),
    tick: leader(tick({ schedules: operations.schedules, clock: ports.clock, log, wakeAdmit })),
    sweep: leader(
      sweep({
        sweep: operations.sweep,
        variants: operations.variants,
        controls,
        backend,
        log,
        wakeAdmit,
      }),
    ),
    deliver: leader(
      deliver({
        deliveries: operations.deliveries,
        deliverers,
        workerId,
        clock: ports.clock,
        log,
      }),
    ),
    chain: leader(chain({ chain: operations.chain })),
  }
  const obeying = startLoop(watchControls(controls, controlled, limits), log)
  const cancelling = startLoop(watchCancels(active, marks), log)
  const stopping = startLoop(watchSpending(spending), log)
  const watching = startLoop(variants.watch(operations.variants), log)
  const untilClosing = [...Object.values(loops), obeying]

  return {
    wake: wakeAdmit,
    wakeCancel: () => {
      cancelling.wake()
    },
    stop: async (graceMs) => {
      await Promise.all(untilClosing.map((loop) => loop.stop()))
      await Promise.all([...controlled.values()].map((worker) => worker.close(graceMs)))
      // A run may be cancelled, and the lease must hold, as long as jobs run.
      await cancelling.stop()
      await stopping.stop()
      await watching.stop()
      await lease.stop()
    },
    stats: () => ({
      leaseLeftMs: lease.leftMs,
      stages: Object.fromEntries(
        [...controlled].map(([stage, worker]) => {
          const { active, concurrency, paused } = worker
          return [stage, { active, concurrency, paused }]
        }),
      ),
      loops: [...untilClosing, cancelling, stopping, watching].map(({ name, leading, passes }) => ({
        name,
        leading,
        passes,
      })),
    }),
  }
}

/** One line for every stage that ran; one that failed has its cause. */
function logStage(log: Log, { cause, ...line }: StageLog): void {
  if (cause === undefined || line.end === 'dropped') log.info(line, 'stage')
  else log.warn({ ...line, cause }, 'stage')
}
