import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { createOperations, plainCodec } from '@almanac/db'
import type { RunId, SpecificationId, SpecificationRefinement, TenantId } from '@almanac/domain'
import type { Engine } from '@almanac/pipeline'
import { startWorker } from '@almanac/worker'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testTenant } from '../support/postgres.ts'
import { samplePeriod } from '../support/sample.ts'
import type { QueuedParts } from './queued-world.ts'
import type { VariantRow } from './variant-fault-table.ts'
import { createWatchedEngine } from './watched-engine.ts'

/**
 * All rows of the variants' fault table at once, as production runs them: a real worker with its loops
 * and the variants' queue, and the real engine. Each row has a tenant, and an engine with limits and a
 * key of its own, so that one fault never meets another's run.
 */
export interface RefinedWorld {
  /** The run of a row. */
  rootOf(row: VariantRow): { tenantId: TenantId; runId: RunId; apiKey: string }
  engines: readonly Engine[]
  close(): Promise<void>
}

/** What every specification refines by unless told: nothing is reached, decayed or asked. */
export const refinement: Extract<SpecificationRefinement, { enabled: true }> = {
  enabled: true,
  maxDepth: 10,
  maxChildren: 100,
  checkpointRatio: 0.8,
  decay: 0.05,
  variants: 3,
  checkpointExpiryMinutes: 60,
  termination: [{ type: 'depth_reached', depth: 1 }],
}

/** Room for a call whose answer was lost: the tables are not about limits. */
export const roomyBudget = { microUsd: 5_000_000, tokens: 1_000_000 }

export async function startRefinedWorld(
  { test, backend, simulator, baseUrl }: QueuedParts,
  rows: readonly VariantRow[],
): Promise<RefinedWorld> {
  const { db } = test
  const now = new Date()
  const engines = new Map<SpecificationId, Engine>()
  const roots = new Map<VariantRow, ReturnType<RefinedWorld['rootOf']>>()
  const { engine: nobodys } = createWatchedEngine(now, { baseUrl })
  const engine: Engine = {
    ...nobodys,
    generate: (request, ...rest) => {
      const own = engines.get(request.package.specification.id)
      if (!own) throw new Error(`${request.package.specification.id} has no engine`)
      return own.generate(request, ...rest)
    },
  }
  const ports = createRunnerPorts({ db, codec: plainCodec }, engine)
  const nothing = () => undefined
  const worker = await startWorker({
    ports,
    operations: createOperations(db),
    backend,
    deliverers: { file: { deliver: () => Promise.resolve({}) } },
    log: { info: nothing, warn: nothing, error: nothing },
    version: '0.0.0',
    onLost: () => {
      throw new Error('the worker lost its lease')
    },
    limits: { execute: rows.length, variant: 3 * rows.length },
  })

  for (const [i, row] of rows.entries()) {
    const apiKey = `sk-simulated-${String(i + 1).padStart(4, '0')}`
    const own = { ...refinement, ...row.refinement }
    const tenant = await testTenant(db, {
      name: row.name,
      specification: { name: `row ${i + 1}`, budget: roomyBudget, refinement: own },
    })
    await importLines(db, ports.content, tenant, sampleLines())
    const match = { apiKeyContains: apiKey }
    simulator.control.addFaults(
      ...row.faults.map(({ call, fault, times = 1 }) => ({
        match: { ...match, keyContains: call },
        fault,
        times,
      })),
      ...partial.map(([call, keep]) => ({
        match: { ...match, keyContains: call },
        fault: { name: 'items_left_out' as const, keep },
        times: null,
      })),
    )
    const { limits = {} } = row
    const watched = createWatchedEngine(now, { baseUrl, apiKey, limits })
    engines.set(tenant.specificationId, watched.engine)
    const runId = await queueRun(db, tenant, { period: samplePeriod })
    roots.set(row, { tenantId: tenant.tenantId, runId, apiKey })
    worker.wake()
  }

  return {
    rootOf: (row) => {
      const root = roots.get(row)
      if (!root) throw new Error(`${row.name} was not started`)
      return root
    },
    engines: [...engines.values()],
    close: () => worker.stop(5_000),
  }
}

/** How many items of a section the answers leave in: the draft fewer than any variant. */
const partial = [
  ['draft', 1],
  ['variant:1:1', 2],
  ['variant:1:2', 3],
  ['variant:1:3', 4],
] as const
