import {
  createOperations,
  createPorts,
  ensureSource,
  grantPeriod,
  importBatch,
  type Database,
} from '@almanac/db'
import {
  isPeriodic,
  readEvidenceLine,
  refinementLimits,
  type RunId,
  type TenantId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import {
  noJudge,
  noStrategies,
  pipeline,
  runInline,
  unlimitedRates,
  unstoppedSpending,
  type Engine,
  type Outcome,
  type RunnerPorts,
} from '@almanac/pipeline'
import { readFileSync } from 'node:fs'
import { queueRun, testTenant, type TestTenant } from '../support/postgres.ts'
import type { sampleSpecification } from '../support/sample.ts'
import { industries, kinds, sampleEvidenceFile, samplePeriod } from '../support/sample.ts'

/** What the engine of these tests does with a call before it answers it as it should. */
export type Mishap = 'invalid' | 'lost' | 'refused'

/** The deterministic engine as one that is paid for, and that can be told to fail. */
export function createPaidEngine(): Engine & { mishaps: Mishap[] } {
  const inner = createDeterministicEngine()
  const usage = { inputTokens: 400, cachedInputTokens: 0, outputTokens: 60, estimated: false }
  const mishaps: Mishap[] = []
  return {
    ...inner,
    mishaps,
    name: 'paid',
    provider: 'paid',
    estimate: () => ({ microUsd: 5_000, tokens: 900 }),
    price: () => 3_210,
    async generate(request, body, signal): Promise<Outcome> {
      const mishap = mishaps.shift()
      const outcome = await inner.generate(request, body, signal)
      if (outcome.kind !== 'completed') return outcome
      switch (mishap) {
        case 'lost':
          return { kind: 'unknown', reason: 'reset' }
        case 'refused':
          return { kind: 'refused', usage, served: outcome.served, requestId: 'none' }
        case 'invalid':
          return { ...outcome, usage, output: { summary: 'not a report' } }
        case undefined:
          return { ...outcome, usage }
      }
    },
  }
}

/** The runs that a recorded world holds, by what they are there for. */
export interface RecordedWorld {
  tenantId: TenantId
  otherTenantId: TenantId
  specificationId: string
  /** A success, superseded by a granted one after it. */
  first: RunId
  granted: RunId
  /** One whose first answer was invalid, so that a repair made it, after an answer that was lost. */
  repaired: RunId
  /** One whose draft was good enough for its refinement. */
  refined: RunId
  test: RunId
  failed: RunId
  queued: RunId
}

/**
 * Records the work of two tenants through the functions that record it in production: successes, a
 * grant, a repair, a lost answer, a failure, a test; most of the audit linked, its last events not.
 */
export async function recordWorld(db: Database): Promise<RecordedWorld> {
  const engine = createPaidEngine()
  const ports: RunnerPorts = {
    ...createPorts(db),
    clock: { now: () => new Date() },
    ids: { next: newId },
    industries,
    kinds,
    engine,
    rates: unlimitedRates,
    spending: unstoppedSpending,
    deliveries: { deliverers: ['file'], prompt: () => Promise.resolve() },
    exporters: [],
    strategies: noStrategies,
    judge: noJudge,
    embedder: null,
    identity: { workerId: newId('worker') },
    log: () => undefined,
  }
  const { admission, chain, leases } = createOperations(db)
  const worker = { id: ports.identity.workerId, host: 'here', pid: 1, version: '0' }
  await leases.register(worker, 60_000)

  const run = async (
    tenant: TestTenant,
    period: string,
    { expect = 'succeeded', mishaps = [], ...request }: RunOptions = {},
  ) => {
    const id = await queueRun(db, tenant, { period, ...request })
    engine.mishaps.push(...mishaps)
    const [job] = await admission.admit(new Map([[tenant.tenantId, 1]]))
    if (job?.runId !== id) throw new Error(`${id} was not admitted`)
    const { tenantId, epoch } = job
    const end = await runInline(pipeline, 'retrieve', { tenantId, runId: id, epoch }, ports)
    // The inline runner goes on with the stage after success, which is done with nothing to do.
    const state = end.kind === 'done' ? 'succeeded' : end.kind
    if (state !== expect) throw new Error(`${id} ended as ${JSON.stringify(end)}`)
    return id
  }

  const refineOne = async () => {
    const tenant = await filledTenant(db, ports, 'Lock Ltd', {
      refinement: {
        ...refinementLimits.parse({}),
        ...{ enabled: true, variants: 3, checkpointExpiryMinutes: 60 },
        termination: [{ type: 'target_score', score: 0.01 }],
      },
    })
    return run(tenant, samplePeriod)
  }

  const tenant = await filledTenant(db, ports, 'Harbour Ltd')
  const first = await run(tenant, samplePeriod)
  await chain.link(1_000)
  const refined = await refineOne()
  const repaired = await run(tenant, '2026-W39', { mishaps: ['lost', 'invalid'] })
  const failed = await run(tenant, '2026-W38', { mishaps: ['refused'], expect: 'failed' })
  const test = await run(tenant, samplePeriod, { test: true })
  const { tenantId, principalId, specificationId, body } = tenant
  if (!isPeriodic(body.cadence)) throw new Error('the sample has periods')
  const cadence = body.cadence
  await db.withTenant(tenantId, (trx) =>
    grantPeriod(
      trx,
      tenantId,
      principalId,
      specificationId,
      { ...body, cadence },
      { period: samplePeriod, reason: 'a source was late' },
    ),
  )
  const granted = await run(tenant, samplePeriod)
  const other = await filledTenant(db, ports, 'Quay Ltd')
  await run(other, samplePeriod)
  await chain.link(1_000)
  const queued = await queueRun(db, tenant, { period: '2026-W37' })
  await run(other, '2026-W39')
  return {
    ...{ tenantId, otherTenantId: other.tenantId, specificationId },
    ...{ first, granted, repaired, refined, test, failed, queued },
  }
}

interface RunOptions {
  expect?: 'succeeded' | 'failed'
  mishaps?: Mishap[]
  test?: boolean
}

async function filledTenant(
  db: Database,
  { content }: Pick<RunnerPorts, 'content'>,
  name: string,
  specification?: Parameters<typeof sampleSpecification>[0],
): Promise<TestTenant> {
  const tenant = await testTenant(db, { name, ...(specification ? { specification } : {}) })
  const { tenantId, body } = tenant
  const source = body.kind === 'report' ? (body.sources[0] ?? '') : ''
  const { id, mapping } = await db.withTenant(tenantId, (trx) =>
    ensureSource(trx, tenantId, source),
  )
  const lines = readFileSync(sampleEvidenceFile, 'utf8').split('\n').filter(Boolean)
  const items = lines.map((line) => readEvidenceLine(line, mapping))
  await importBatch(db, content, tenantId, id, items)
  return tenant
}
