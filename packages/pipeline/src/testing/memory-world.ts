import type { AlmanacEvent, RunId, Specification, StageName, TenantId } from '@almanac/domain'
import { AlmanacError, isTerminal, canMove, type RunState } from '@almanac/domain'
import { hashOf, sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import type { Entitlement, ModuleDefinition } from '@almanac/domain'
import type {
  BudgetLedger,
  Conclusion,
  Content,
  Engine,
  Hold,
  Industries,
  Kinds,
  RunFacts,
  StageCommit,
  StoredEvidence,
  Verdict,
} from '../ports.ts'
import { unlimitedRates } from '../calls/rate-gate.ts'
import { unstoppedSpending } from '../calls/spend-gate.ts'
import type { RunnerPorts, StageLog } from '../runner.ts'
import { noJudge } from '../judging/judge-port.ts'
import { noStrategies } from '../refinement/strategies-port.ts'
import { createMemoryRefinement, type MemoryRefinement } from './memory-refinement.ts'

/** One run as the memory world keeps it. */
export interface MemoryRun {
  facts: RunFacts
  state: RunState
  epoch: number
  nextStage: StageName
  tries: number
  outputs: Partial<Record<StageName, string>>
  originOutputs: Partial<Record<StageName, string>>
  events: AlmanacEvent[]
  conclusion: Conclusion | null
  error: { code: string; detail: string } | null
}

export interface MemoryWorld {
  ports: RunnerPorts
  runs: Map<RunId, MemoryRun>
  slots: Map<string, { state: 'reserved' | 'consumed'; by: RunId }>
  calls: Map<string, { state: string; outputHash: string | null }>
  log: StageLog[]
  blobs: Map<string, string>
  /** The roots of refinements, and their variants' jobs. */
  refined: Pick<MemoryRefinement, 'roots' | 'jobs'>
  /** What a test may change while runs are under way. */
  specification: { body: Specification; state: 'draft' | 'active' | 'paused' | 'archived' }
  entitlement: Entitlement
  tenant: { suspended: boolean }
  evidence: StoredEvidence[]
  modules: ModuleDefinition[]
  now: Date
  accept(facts?: Partial<RunFacts>): MemoryRun
}

/**
 * The whole outside world of the pipeline in one process, for tests of the pipeline's own logic. It
 * keeps the rules that Postgres keeps (epochs, one output a stage, one success a slot) and sends
 * everything through JSON.
 */
export function createMemoryWorld(start: {
  specification: Specification
  entitlement: Entitlement
  evidence: StoredEvidence[]
  modules?: ModuleDefinition[]
  tenantName?: string
  industries: Industries
  kinds: Kinds
  engine: Engine
  now: Date
}): MemoryWorld {
  const tenantId: TenantId = newId('tenant')
  const specificationId = newId('specification')
  const workerId = newId('worker')
  const world: MemoryWorld = {
    runs: new Map(),
    slots: new Map(),
    calls: new Map(),
    log: [],
    blobs: new Map(),
    specification: { body: start.specification, state: 'active' },
    entitlement: start.entitlement,
    tenant: { suspended: false },
    evidence: start.evidence,
    modules: start.modules ?? [],
    now: start.now,
    accept: (facts = {}) => {
      const run: MemoryRun = {
        facts: {
          id: newId('run'),
          tenantId,
          specificationId,
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
          createdAt: world.now.toISOString(),
          deadlineAt: null,
          ...facts,
        },
        state: 'running',
        epoch: 1,
        nextStage: 'retrieve',
        tries: 0,
        outputs: {},
        originOutputs: {},
        events: [],
        conclusion: null,
        error: null,
      }
      world.runs.set(run.facts.id, run)
      return run
    },
    ports: undefined as never,
    refined: undefined as never,
  }
  const content: Content = {
    put: async (_tenant, texts) =>
      Promise.resolve(
        texts.map((text) => {
          const hash = sha256(text)
          world.blobs.set(hash, text)
          return hash
        }),
      ),
    get: async (_tenant, hash) => {
      const text = world.blobs.get(hash)
      if (text === undefined) throw new AlmanacError('CONTENT_ERASED', { what: hash })
      return Promise.resolve(text)
    },
  }
  const ledger = memoryLedger(world, content)
  const { refinement, ...refined } = createMemoryRefinement({
    runs: world.runs,
    now: () => world.now,
    ledger,
    move: (runId, to) => {
      const run = world.runs.get(runId)
      if (!run) return
      run.state = to
      // What comes back enters the queue anew.
      if (to === 'running') run.epoch += 1
    },
  })
  world.refined = refined
  world.ports = {
    refinement,
    strategies: noStrategies,
    content,
    industries: start.industries,
    kinds: start.kinds,
    engine: start.engine,
    clock: { now: () => world.now },
    ids: { next: newId },
    identity: { workerId },
    log: (line) => world.log.push(line),
    load: async (_tenant, id) => {
      const run = world.runs.get(id)
      return Promise.resolve(
        run && {
          facts: JSON.parse(JSON.stringify(run.facts)) as RunFacts,
          epoch: run.epoch,
          state: run.state,
          nextStage: run.nextStage,
          tries: run.tries,
          outputs: { ...run.outputs },
          originOutputs: { ...run.originOutputs },
        },
      )
    },
    commitStage: async (commit) => Promise.resolve(apply(world, commit)),
    specifications: {
      bound: async () =>
        Promise.resolve({
          state: world.specification.state,
          tenantName: start.tenantName ?? 'Harbour Ltd',
          tenantSuspended: world.tenant.suspended,
          body: world.specification.body,
          hash: hashOf(world.specification.body),
          entitlement: world.entitlement,
          onDemandRunsThisMonth: [...world.runs.values()].filter(
            ({ facts }) => facts.period === null && !facts.test,
          ).length,
        }),
    },
    slots: {
      claim: async ({ run, periodKey }) => {
        const key = `${run.specificationId}/${periodKey}/${run.ordinal}`
        const slot = world.slots.get(key)
        if (slot && slot.by !== run.id)
          return Promise.resolve({
            claimed: false,
            because: slot.state === 'consumed' ? 'taken' : 'in_progress',
            by: slot.by,
          })
        world.slots.set(key, { state: 'reserved', by: run.id })
        return Promise.resolve({ claimed: true })
      },
    },
    evidence: {
      inWindow: async ({ sources, from, to }) =>
        Promise.resolve(
          world.evidence.filter(
            ({ source, publishedAt }) =>
              sources.includes(source) &&
              new Date(publishedAt) >= new Date(from) &&
              new Date(publishedAt) < new Date(to),
          ),
        ),
      late: async () => Promise.resolve(0),
    },
    history: {
      before: async () => Promise.resolve({ history: [], previousArtifactHash: undefined }),
    },
    modules: {
      named: async (_tenant, keys) =>
        Promise.resolve(
          keys.map((key) => {
            const found = world.modules.find((module) => module.key === key)
            if (!found) throw new AlmanacError('NOT_FOUND', { what: `registered module ${key}` })
            return found
          }),
        ),
    },
    ledger,
    rates: unlimitedRates,
    spending: unstoppedSpending,
    deliveries: { deliverers: ['file'], prompt: async () => Promise.resolve() },
    exporters: [],
    judge: noJudge,
    embedder: null,
  }
  return world
}

function apply(world: MemoryWorld, text: StageCommit): Verdict {
  const commit = JSON.parse(JSON.stringify(text)) as StageCommit
  const run = world.runs.get(commit.runId)
  if (!run || run.epoch !== commit.epoch || run.state !== 'running') return 'stale'
  if (run.nextStage !== commit.stage) return run.outputs[commit.stage] ? 'duplicate' : 'stale'
  const { move } = commit
  for (const { hash, text: stored } of commit.texts ?? []) world.blobs.set(hash, stored)
  if (commit.output !== null) run.outputs[commit.stage] = commit.output
  run.events.push(...commit.events)
  if (move.to === 'running') {
    run.nextStage = move.next
    run.tries = 0
    return 'committed'
  }
  if (move.to === 'again') {
    run.tries += 1
    return 'committed'
  }
  if (!canMove(run.state, move.to)) throw new Error(`${run.state} cannot become ${move.to}`)
  run.state = move.to
  if ('code' in move) run.error = { code: move.code, detail: move.detail }
  run.conclusion = commit.conclusion
  if (isTerminal(run.state)) endSlot(world, run)
  return 'committed'
}

function endSlot(world: MemoryWorld, run: MemoryRun): void {
  for (const [key, slot] of world.slots) {
    if (slot.by !== run.facts.id) continue
    if (run.state === 'succeeded') slot.state = 'consumed'
    else world.slots.delete(key)
  }
}

function memoryLedger(
  world: Pick<MemoryWorld, 'calls'>,
  content: Pick<Content, 'put'>,
): BudgetLedger {
  return {
    hold: async ({ run, callKey }): Promise<Hold> => {
      const key = `${run.id}/${callKey}`
      const known = world.calls.get(key)
      if (known?.state === 'settled' && known.outputHash)
        return Promise.resolve({ state: 'settled', seq: 1, outputHash: known.outputHash })
      world.calls.set(key, { state: 'open', outputHash: null })
      return Promise.resolve({ state: 'granted', seq: 1 })
    },
    settle: async ({ run, callKey }, { outputHash, answer }) => {
      if (answer) await content.put(run.tenantId, [answer.text])
      world.calls.set(`${run.id}/${callKey}`, { state: 'settled', outputHash })
    },
    release: async ({ run, callKey }) => {
      world.calls.set(`${run.id}/${callKey}`, { state: 'released', outputHash: null })
      return Promise.resolve()
    },
    unknown: async ({ run, callKey }) => {
      world.calls.set(`${run.id}/${callKey}`, { state: 'unknown', outputHash: null })
      return Promise.resolve()
    },
  }
}
