import { createOperations, createPorts, type Database } from '@almanac/db'
import type { TenantId } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import {
  noJudge,
  noStrategies,
  pipeline,
  runInline,
  unlimitedRates,
  unstoppedSpending,
  type RunnerPorts,
} from '@almanac/pipeline'
import { randomIds, systemClock } from '@almanac/runtime'
import { industries, kinds } from '../../../../test/support/sample.ts'

/** Admits all queued runs of a tenant and runs each to its end, as workers would. Answers how many. */
export async function runQueued(db: Database, tenantId: TenantId): Promise<number> {
  const ports: RunnerPorts = {
    ...createPorts(db),
    clock: systemClock,
    ids: randomIds,
    industries,
    kinds,
    engine: createDeterministicEngine(),
    rates: unlimitedRates,
    spending: unstoppedSpending,
    deliveries: { deliverers: ['file'], prompt: () => Promise.resolve() },
    exporters: [],
    strategies: noStrategies,
    judge: noJudge,
    embedder: null,
    identity: { workerId: randomIds.next('worker') },
    log: () => undefined,
  }
  const jobs = await createOperations(db).admission.admit(new Map([[tenantId, 100]]))
  for (const { runId, stage, epoch } of jobs)
    await runInline(pipeline, stage, { tenantId, runId, epoch }, ports)
  return jobs.length
}
