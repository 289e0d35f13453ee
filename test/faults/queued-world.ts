import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { createOperations, plainCodec } from '@almanac/db'
import type { RunId, TenantId } from '@almanac/domain'
import type { OpenAiOptions } from '@almanac/llm/openai'
import {
  pipeline,
  type AnyStage,
  type Engine,
  type Outcome,
  type Ports,
  type RunFacts,
} from '@almanac/pipeline'
import type { QueueBackend } from '@almanac/queue'
import type { Simulator } from '@almanac/simulator'
import { startWorker } from '@almanac/worker'
import { setTimeout as sleep } from 'node:timers/promises'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testTenant, type TestDatabase } from '../support/postgres.ts'
import { samplePeriod } from '../support/sample.ts'
import { injectedItem, type RunEnd } from './fault-table.ts'
import type { Money, Seen } from './judge-row.ts'
import { createWatchedEngine, playFault, requestsOf, type FaultCase } from './watched-engine.ts'

/**
 * All cases of the fault table at once, as production runs them: a real worker with its loops on a
 * real queue and Postgres, and the real engine. Each case has a tenant, and an engine with limits and
 * a key of its own, so that one fault never meets another's run.
 */
export interface QueuedWorld {
  /** Those of all cases, in their order. */
  engines: readonly Engine[]
  /** What became of a case, as soon as its run has come to the end that is waited for. */
  seen(theCase: FaultCase, end: RunEnd): Promise<Seen>
  close(): Promise<void>
}

interface Started {
  tenantId: TenantId
  runId: RunId
  outcomes: readonly Outcome[]
}

export interface QueuedParts {
  test: TestDatabase
  backend: QueueBackend
  simulator: Simulator
  baseUrl: string
}

/** Starts the worker and a run a case. The clock of the runs stands still, so that delays are exact. */
export async function startQueuedWorld(
  { test, backend, simulator, baseUrl }: QueuedParts,
  cases: readonly FaultCase[],
  api: OpenAiOptions['api'] = 'responses',
): Promise<QueuedWorld> {
  const { db } = test
  const now = new Date()
  const engines = new Map<TenantId, Engine>()
  const started = new Map<FaultCase, Started>()
  const { engine: nobodys } = createWatchedEngine(now, { api, baseUrl })
  const ports = {
    ...createRunnerPorts({ db, codec: plainCodec }, nobodys),
    clock: { now: () => now },
  }
  const worker = await startWorker({
    ports,
    operations: createOperations(db),
    backend,
    deliverers: { file: { deliver: () => Promise.resolve({}) } },
    log: quiet,
    version: '0.0.0',
    onLost: () => {
      throw new Error('the worker lost its lease')
    },
    limits: { execute: cases.length },
    stages: withEngines(engines),
  })

  for (const theCase of cases) {
    const { row, apiKey } = theCase
    const name = `case ${apiKey.slice(-4)}: ${row.name}`
    const tenant = await testTenant(db, { name, specification: { name, budget } })
    const lines = sampleLines()
    if (row.injected) lines.unshift(injectedLine(lines))
    await importLines(db, ports.content, tenant, lines)
    playFault(simulator, theCase)
    const { limits = {} } = row
    // A provider of its own too: one that refuses to be paid is called no more, by nobody.
    const provider = `openai-${apiKey.slice(-4)}`
    const watched = createWatchedEngine(now, { api, baseUrl, apiKey, limits, provider })
    engines.set(tenant.tenantId, watched.engine)
    const runId = await queueRun(db, tenant, { period: samplePeriod })
    started.set(theCase, { tenantId: tenant.tenantId, runId, outcomes: watched.outcomes })
    worker.wake()
  }

  return {
    engines: [...engines.values()],
    seen: async (theCase, end) => {
      const one = started.get(theCase)
      if (!one) throw new Error(`${theCase.row.name} was not started`)
      const run = await reached(test, one.runId, end)
      return {
        outcomes: one.outcomes,
        ...run,
        ...(await recordOf(test, one.runId, now)),
        requests: await requestsOf(simulator, theCase),
      }
    },
    close: () => worker.stop(5_000),
  }
}

/** The stages, where `execute` asks the engine of the run's tenant. */
const withEngines = (engines: ReadonlyMap<TenantId, Engine>): readonly AnyStage[] =>
  pipeline.map((stage: AnyStage): AnyStage =>
    stage.name === 'execute'
      ? {
          ...stage,
          run: (input: { run: RunFacts; epoch: number }, ports: Ports, signal: AbortSignal) => {
            const engine = engines.get(input.run.tenantId)
            if (!engine) throw new Error(`${input.run.tenantId} has no engine`)
            return stage.run(input, { ...ports, engine }, signal)
          },
        }
      : stage,
  )

/** The first of the sample's items with other words. */
function injectedLine(lines: readonly string[]): string {
  const { itemId, ...words } = injectedItem
  return JSON.stringify({ ...JSON.parse(lines[0] ?? '{}'), ...words, id: itemId })
}

/** Room for three calls that are held in full: the table is about faults, not about limits. */
const budget = { microUsd: 5_000_000, tokens: 1_000_000 }

const nothing = () => undefined
const quiet = { info: nothing, warn: nothing, error: nothing }

type Reached = Pick<Seen, 'state' | 'code' | 'parkReason'>

const terminal = ['succeeded', 'failed', 'blocked', 'cancelled']

/** The run when it is where it is expected, or cannot get there any more. */
async function reached(test: TestDatabase, runId: RunId, { state }: RunEnd): Promise<Reached> {
  for (const deadline = Date.now() + 50_000; ;) {
    const [run] = await test.superuser<Row>(
      'select state, error_code, park_reason from runs where id = $1',
      [runId],
    )
    if (!run) throw new Error(`${runId} is not there`)
    if (run.state === state || terminal.includes(run.state) || Date.now() > deadline)
      return {
        state: run.state,
        code: run.error_code ?? undefined,
        parkReason: run.park_reason ?? undefined,
      }
    await sleep(100)
  }
}

interface Row {
  state: string
  error_code: string | null
  park_reason: string | null
}

/** What is stored of a run's money, its slot and its waits. */
async function recordOf(
  { superuser }: TestDatabase,
  runId: RunId,
  now: Date,
): Promise<Pick<Seen, 'money' | 'slot' | 'delays'>> {
  const money = await superuser<Money>(
    `select state, hold_micro_usd::integer as "heldMicroUsd", cost_micro_usd::integer as "costMicroUsd"
      from engine_calls where run_id = $1 order by opened_at`,
    [runId],
  )
  const [slot] = await superuser<{ state: string }>(
    `select s.state from runs r join slots s on s.tenant_id = r.tenant_id
        and s.specification_id = r.specification_id where r.id = $1`,
    [runId],
  )
  const waits = await superuser<{ until: string }>(
    `select coalesce(data ->> 'retryAt', data ->> 'wakeAt') as until from run_events
      where run_id = $1 and type in ('run.stage_failed', 'run.parked') order by seq`,
    [runId],
  )
  return {
    money,
    slot: slot?.state ?? 'none',
    delays: waits.map(({ until }) => Date.parse(until) - now.getTime()),
  }
}
