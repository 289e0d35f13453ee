import type { RunId, TenantId, WorkerId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type {
  CommitStage,
  LoadedRun,
  Operations,
  RunFacts,
  RunStore,
  StageCommit,
  StageControl,
  StageJob,
} from '@almanac/pipeline'

/** A run as the fake database holds it. */
export interface MemoryRun extends LoadedRun {
  n: number
  progressAt: number
}

export interface MemoryDatabase {
  runs: Map<RunId, MemoryRun>
  commits: StageCommit[]
  starts: { job: StageJob; workerId: WorkerId }[]
  workers: Map<WorkerId, number>
  controls: StageControl[]
  /** Queues a run; admission takes it from there. */
  queue(given?: { tenantId?: TenantId; nextStage?: LoadedRun['nextStage'] }): MemoryRun
  store: RunStore & CommitStage
  operations: Operations
}

/**
 * The interfaces of a database, kept in this process: enough of its rules for the worker's own
 * behaviour to show. What Postgres really does is tested with Postgres.
 */
export function memoryDatabase(): MemoryDatabase {
  const runs = new Map<RunId, MemoryRun>()
  const commits: StageCommit[] = []
  const starts: MemoryDatabase['starts'] = []
  const workers = new Map<WorkerId, number>()
  const controls: StageControl[] = []
  const led = new Set<string>()

  const where = (state: string) => [...runs.values()].filter((run) => run.state === state)
  const jobOf = ({ facts, nextStage, epoch, n }: MemoryRun): StageJob => ({
    tenantId: facts.tenantId,
    runId: facts.id,
    stage: nextStage,
    epoch,
    n,
  })

  const store: RunStore & CommitStage = {
    load: (_tenantId, runId) => Promise.resolve(structuredClone(runs.get(runId))),
    commitStage: (commit) => {
      const run = runs.get(commit.runId)
      if (!run || run.epoch !== commit.epoch || run.state !== 'running')
        return Promise.resolve('stale')
      if (run.outputs[commit.stage] !== undefined) return Promise.resolve('duplicate')
      commits.push(commit)
      const { move } = commit
      if (commit.output !== null) run.outputs[commit.stage] = commit.output
      run.progressAt = Date.now()
      run.tries = move.to === 'again' ? run.tries + 1 : 0
      if (move.to === 'running') [run.nextStage, run.n] = [move.next, 0]
      else if (move.to !== 'again') run.state = move.to
      return Promise.resolve('committed')
    },
  }

  const operations: Operations = {
    leadership: {
      lead: (loop) => {
        if (led.has(loop)) return Promise.resolve(undefined)
        led.add(loop)
        const release = () => Promise.resolve(void led.delete(loop))
        return Promise.resolve({ lost: new AbortController().signal, release })
      },
    },
    leases: {
      register: ({ id }, ttlMs) => Promise.resolve(void workers.set(id, Date.now() + ttlMs)),
      renew: (id, ttlMs) => {
        const alive = (workers.get(id) ?? 0) > Date.now()
        if (alive) workers.set(id, Date.now() + ttlMs)
        return Promise.resolve(alive)
      },
      leave: (id) => Promise.resolve(void workers.delete(id)),
    },
    admission: {
      backlog: () => {
        const byTenant = Map.groupBy(where('queued'), ({ facts }) => facts.tenantId)
        const tenants = [...byTenant].map(([tenantId, queued]) => ({
          tenantId,
          queued: queued.length,
          cap: 1_000,
          inFlight: where('running').filter(({ facts }) => facts.tenantId === tenantId).length,
        }))
        return Promise.resolve({ tenants, inFlight: where('running').length })
      },
      admit: (counts) => {
        const admitted = [...counts].flatMap(([tenantId, count]) =>
          where('queued')
            .filter(({ facts }) => facts.tenantId === tenantId)
            .slice(0, count),
        )
        for (const run of admitted) {
          run.state = 'running'
          run.epoch += 1
          run.progressAt = Date.now()
        }
        return Promise.resolve(admitted.map(jobOf))
      },
    },
    sweep: {
      takeOver: () => Promise.resolve([]),
      stuck: (idleMs, paused) => {
        const idle = where('running').filter(
          ({ progressAt, nextStage }) =>
            Date.now() - progressAt >= idleMs && !paused.includes(nextStage),
        )
        for (const run of idle) [run.n, run.progressAt] = [run.n + 1, Date.now()]
        return Promise.resolve(idle.map(jobOf))
      },
      wake: () => Promise.resolve(0),
      wakeStopped: () => Promise.resolve(0),
      remindCheckpoints: () => Promise.resolve(0),
      expireCheckpoints: () => Promise.resolve(0),
      finishCancelled: () => {
        const over = where('cancelling')
        for (const run of over) run.state = 'cancelled'
        return Promise.resolve(over.length)
      },
      expireQueued: () => Promise.resolve(0),
      tellBudgets: () => Promise.resolve(0),
      chargeUnknown: () => Promise.resolve(0),
      ensurePartitions: () => Promise.resolve(),
    },
    marks: {
      markStart: (job, workerId) => Promise.resolve(void starts.push({ job, workerId })),
      cancelling: (ids) =>
        Promise.resolve(ids.filter((id) => runs.get(id)?.state === 'cancelling')),
    },
    schedules: {
      takeDue: () => Promise.resolve({ specifications: 0, runs: 0 }),
      retryFree: () => Promise.resolve({ retried: 0, missed: 0 }),
    },
    deliveries: {
      claimDue: () => Promise.resolve([]),
      succeeded: () => Promise.resolve(),
      failed: () => Promise.resolve(),
    },
    chain: { link: () => Promise.resolve(0) },
    variants: {
      stuck: () => Promise.resolve([]),
      keepWaiting: () => Promise.resolve(0),
      releaseBooked: () => Promise.resolve(0),
      wanted: () => Promise.resolve([]),
    },
    controls: {
      read: () => Promise.resolve(controls),
    },
  }

  return {
    runs,
    commits,
    starts,
    workers,
    controls,
    store,
    operations,
    queue: ({ tenantId = newId('tenant'), nextStage = 'retrieve' } = {}) => {
      const run = newRun(tenantId, nextStage)
      runs.set(run.facts.id, run)
      return run
    },
  }
}

function newRun(tenantId: TenantId, nextStage: LoadedRun['nextStage']): MemoryRun {
  const facts: RunFacts = {
    id: newId('run'),
    tenantId,
    specificationId: newId('specification'),
    revision: 1,
    trigger: 'api',
    test: false,
    fresh: false,
    period: null,
    ordinal: 0,
    narrow: null,
    onConflict: 'refuse',
    lane: 'interactive',
    origin: null,
    deadlineAt: null,
    createdAt: new Date().toISOString(),
  }
  return {
    facts,
    epoch: 0,
    state: 'queued',
    nextStage,
    tries: 0,
    outputs: {},
    originOutputs: {},
    n: 0,
    progressAt: Date.now(),
  }
}
