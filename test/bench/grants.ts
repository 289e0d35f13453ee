import { createOperations, createPorts, type Database } from '@almanac/db'
import type { RunId } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import { newId } from '@almanac/domain/ids'
import type { BudgetLedger, HoldRequest, LoadedRun } from '@almanac/pipeline'
import { queueRun, testTenant } from '../support/tenant.ts'
import { openOwnDatabase } from './own-database.ts'

const tenants = 20
const runsPerTenant = 20
const callsPerRun = 50
/** Calls that are under way at once, as those of many workers' jobs are: four statements' worth. */
const concurrency = 8_192

/**
 * Reserve and settle over five limited levels (root, specification, tenant's day and month, provider),
 * by one process, grouped, with every row kept: a call is counted when its settlement has been committed.
 */
export async function measureGrants(rounds: number): Promise<{ grantsPerSecond: number[] }> {
  const { db, close } = await openOwnDatabase()
  try {
    const workerId = newId('worker')
    await createOperations(db).leases.register(
      { id: workerId, host: 'bench', pid: process.pid, version: '0' },
      3_600_000,
    )
    const { ledger, load } = createPorts(db)
    const grantsPerSecond: number[] = []
    // One more than is counted: the first warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const runs = await runningRuns(db, load)
      const calls = runs.flatMap((run) =>
        Array.from({ length: callsPerRun }, (_, n) => holdOf(run, workerId, n)),
      )
      const started = performance.now()
      await eachOf(shuffled(calls), concurrency, (call) => reserveAndSettle(ledger, call))
      if (round > 0) grantsPerSecond.push(calls.length / ((performance.now() - started) / 1_000))
    }
    return { grantsPerSecond }
  } finally {
    await close()
  }
}

async function runningRuns(
  db: Database,
  load: ReturnType<typeof createPorts>['load'],
): Promise<LoadedRun[]> {
  const runs: LoadedRun[] = []
  for (let t = 0; t < tenants; t += 1) {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const ids: RunId[] = []
    for (let n = 0; n < runsPerTenant; n += 1)
      ids.push(await queueRun(db, tenant, { test: true, fresh: true }))
    await createOperations(db).admission.admit(new Map([[tenantId, runsPerTenant]]))
    for (const id of ids) {
      const run = await load(tenantId, id)
      if (run?.state !== 'running') throw new Error(`${id} does not run`)
      runs.push(run)
    }
  }
  return runs
}

const holdOf = (run: LoadedRun, workerId: HoldRequest['workerId'], n: number): HoldRequest => ({
  run: run.facts,
  epoch: run.epoch,
  stage: 'execute',
  workerId,
  callKey: `draft:${n}`,
  call: JSON.stringify({ kind: 'draft', n, brief: 'Write the report.', inputHashes: [] }),
  provider: 'openai',
  model: 'gpt-5-mini',
  requestHash: sha256(`${run.facts.id} ${n}`),
  packageHash: sha256(run.facts.id),
  estimate: { microUsd: 5_000, tokens: 1_000 },
  reuse: true,
  runLimit: { microUsd: 1_000_000, tokens: 1_000_000 },
  finishing: { microUsd: 12_000, tokens: 3_000 },
})

async function reserveAndSettle(ledger: BudgetLedger, request: HoldRequest): Promise<void> {
  const { run, callKey } = request
  const hold = await ledger.hold(request)
  if (hold.state !== 'granted') throw new Error(`${callKey} of ${run.id} is ${hold.state}`)
  await ledger.settle(
    { run, callKey, seq: hold.seq },
    {
      costMicroUsd: 3_000,
      usage: { inputTokens: 400, cachedInputTokens: 0, outputTokens: 200, estimated: false },
      outcome: 'completed',
      served: { model: 'gpt-5-mini', tier: 'default' },
      requestId: `req_${callKey}`,
      outputHash: request.requestHash,
    },
  )
}

async function eachOf<T>(items: T[], at: number, work: (item: T) => Promise<void>): Promise<void> {
  const next = async (): Promise<void> => {
    for (let item = items.pop(); item !== undefined; item = items.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: at }, next))
}

/** In an order that mixes tenants and runs, the same in every round. */
function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items]
  let seed = 1
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    const j = seed % (i + 1)
    const [a, b] = [mixed[i], mixed[j]]
    if (a !== undefined && b !== undefined) [mixed[i], mixed[j]] = [b, a]
  }
  return mixed
}
