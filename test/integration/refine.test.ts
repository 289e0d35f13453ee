import {
  changeStageControl,
  createOperations,
  createVariants,
  plainCodec,
  proveRoot,
} from '@almanac/db'
import { newId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import type { Engine, Outcome } from '@almanac/pipeline'
import type { RunningWorker } from '@almanac/worker'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import type { RunId, SpecificationRefinement, TenantId } from '@almanac/domain'
import { almanac } from '../support/almanac-process.ts'
import { withDefectiveDraft } from '../support/defective-engine.ts'
import { chained } from '../support/chained.ts'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testDatabase, testTenant } from '../support/postgres.ts'
import { startQuietWorker, untilEnded } from '../support/quiet-worker.ts'
import { samplePeriod } from '../support/sample.ts'

/** Refinement on Postgres, with the real worker, its loops and its queue. */

const { db, url, superuser } = await testDatabase()
const operations = createOperations(db)
const plain = withDefectiveDraft(createDeterministicEngine())
/** What variants meet, by tenant; the draft is made as always. */
const faults = new Map<
  TenantId,
  (ordinal: number, signal: AbortSignal) => Promise<Outcome | null>
>()
/** Tenants whose variants' jobs the queue loses. */
const losing = new Set<TenantId>()
/** Runs for whose variants a job was made. */
const withJobs = new Set<RunId>()
const tenantOf = new Map<string, TenantId>()
const engine: Engine = {
  ...plain,
  estimate: () => ({ microUsd: 1_000, tokens: 100 }),
  price: ({ outputTokens }) => (outputTokens > 1_000 ? 5_000 : 700),
  generate: async (request, body, signal) => {
    const { call, package: runPackage } = request
    const tenantId = tenantOf.get(runPackage.specification.id)
    const fault = call.kind === 'variant' && tenantId ? faults.get(tenantId) : undefined
    const outcome = await fault?.(Number(call.part), signal)
    return outcome ?? plain.generate(request, body, signal)
  },
}

let worker: RunningWorker
let close: () => Promise<void>
beforeAll(async () => {
  ;({ worker, close } = await startQuietWorker({
    url,
    db,
    ports: createRunnerPorts({ db, codec: plainCodec }, engine),
    variantTimeoutMs: 1_500,
    through: (backend) => ({
      ...backend,
      add: (jobs) => {
        for (const { runId, variant } of jobs) if (variant) withJobs.add(runId)
        return backend.add(
          jobs.filter(({ tenantId, variant, n }) => !variant || n > 0 || !losing.has(tenantId)),
        )
      },
    }),
  }))
})
afterAll(() => close())

const refinement = (over: object = {}): SpecificationRefinement => ({
  enabled: true,
  maxDepth: 10,
  maxChildren: 100,
  checkpointRatio: 0.8,
  decay: 0,
  variants: 3,
  checkpointExpiryMinutes: 60,
  termination: [{ type: 'depth_reached', depth: 2 }],
  ...over,
})

async function refined(
  refine: SpecificationRefinement,
  fault?: (ordinal: number, signal: AbortSignal) => Promise<Outcome | null>,
  loses = false,
  meanwhile?: (runId: RunId) => Promise<void>,
) {
  const tenant = await testTenant(db, { specification: { refinement: refine } })
  const { tenantId } = tenant
  tenantOf.set(tenant.specificationId, tenantId)
  if (fault) faults.set(tenantId, fault)
  if (loses) losing.add(tenantId)
  const ports = createRunnerPorts({ db, codec: plainCodec }, engine)
  await importLines(db, ports.content, tenant, sampleLines())
  const runId = await queueRun(db, tenant, { period: samplePeriod })
  worker.wake()
  if (loses) await dieWithVariant({ tenantId, runId })
  await meanwhile?.(runId)
  const { state, error_code } = await untilEnded(superuser, runId)
  const end = { state, error_code }
  const [output] = await superuser<{ output: string }>(
    `select output from stage_outputs where run_id = $1 and stage = 'refine'`,
    [runId],
  )
  const variants = await superuser<{ state: string; error_code: string | null }>(
    'select state, error_code from variants where run_id = $1 order by generation, ordinal',
    [runId],
  )
  const [money] = await superuser<{ held: number; open: number }>(
    `select (select coalesce(sum(held_micro_usd), 0)::int from budgets where subject = $1) as held,
      (select count(*)::int from engine_calls where run_id = $1 and state in ('open', 'booked')) as open`,
    [runId],
  )
  await chained(db)
  const proof = await db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, runId))
  const refineOutput = JSON.parse(output?.output ?? '{}') as Record<string, unknown>
  return { runId, end, output: refineOutput, variants, money, proof }
}

/** A worker takes the first variant of a run, as soon as it is booked, and dies. */
async function dieWithVariant({ tenantId, runId }: { tenantId: TenantId; runId: RunId }) {
  const dead = newId('worker')
  await operations.leases.register({ id: dead, host: 't', pid: 1, version: '0' }, 3_600_000)
  const key = { tenantId, runId, generation: 1, ordinal: 1 }
  while ((await createVariants(db).begin(key, dead)) !== 'begun') await sleep(20)
  await superuser(`update workers set alive_until = now() - interval '1 s' where id = $1`, [dead])
}

describe('refinement with the real worker', () => {
  it('makes generations of three variants, and ends with the best version', async () => {
    const { end, output, variants, money, proof, runId } = await refined(refinement())
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(output).toMatchObject({ problem: null })
    expect(['depth', 'no_children']).toContain(output['stopReason'])
    expect(variants.slice(0, 3).map(({ state }) => state)).toEqual(['done', 'done', 'done'])
    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [], pending: 0 })
    const [best] = await superuser<{ id: string; score: number; most: number; draft: number }>(
      `select v.id, v.score, (select max(o.score) from versions o where o.run_id = $1) as most,
        (select o.score from versions o where o.run_id = $1 and o.label = '1') as draft
        from artifacts a join versions v on v.tenant_id = a.tenant_id and v.id = a.version_id
        where a.run_id = $1 limit 1`,
      [runId],
    )
    expect(best?.score).toBe(best?.most)
    expect(best?.score).toBeGreaterThan(best?.draft ?? 1)
  }, 60_000)

  const refusedOutcome: Outcome = {
    kind: 'refused',
    usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, estimated: false },
    served: { model: 'm', tier: 'standard' },
    requestId: 'r1',
  } as Outcome

  it('goes on without variants that fail, hang or are refused', async () => {
    const { end, variants, money, proof } = await refined(
      refinement({ termination: [{ type: 'depth_reached', depth: 1 }] }),
      (ordinal, signal) => {
        if (ordinal === 1) return Promise.resolve(refusedOutcome)
        if (ordinal === 2)
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('aborted'))
            })
          })
        return Promise.resolve(null)
      },
    )
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(variants.map(({ state, error_code }) => error_code ?? state)).toEqual([
      'ENGINE_REFUSED',
      'ENGINE_OUTCOME_UNKNOWN',
      'done',
    ])
    // The hold of the answer that was lost stays until it is charged.
    expect(money).toEqual({ held: 1_000, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)

  it('takes a variant that cost more than its hold, and books what it cost', async () => {
    const dear = (ordinal: number): Promise<Outcome | null> =>
      Promise.resolve(
        ordinal === 1
          ? {
              ...refusedOutcome,
              usage: {
                inputTokens: 10,
                cachedInputTokens: 0,
                outputTokens: 2_000,
                estimated: false,
              },
            }
          : null,
      )
    const { end, money, proof, runId } = await refined(
      refinement({ termination: [{ type: 'depth_reached', depth: 1 }] }),
      dear,
    )
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [] })
    const [sums] = await superuser(
      `select (select spent_micro_usd::int from budgets where subject = $1 and level = 'root') as spent,
        (select sum(cost_micro_usd)::int from engine_calls where run_id = $1) as cost,
        (select max(cost_micro_usd)::int from variants where run_id = $1) as dearest`,
      [runId],
    )
    expect(sums).toEqual({
      spent: 4 * 700 + 5_000 - 700,
      cost: 4 * 700 + 5_000 - 700,
      dearest: 5_000,
    })
  }, 60_000)

  it('finds the variants of a dead worker and the jobs that the queue has lost', async () => {
    const { end, variants, money, proof, runId } = await refined(
      refinement({ termination: [{ type: 'depth_reached', depth: 1 }] }),
      undefined,
      true,
    )
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(variants.map(({ state }) => state)).toEqual(['done', 'done', 'done'])
    const deaths = await superuser(
      'select crashes from variants where run_id = $1 order by ordinal',
      [runId],
    )
    expect(deaths).toEqual([{ crashes: 1 }, { crashes: 0 }, { crashes: 0 }])
    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)

  it('makes no variant, no hold and no job where the guard refuses, and goes on with the draft', async () => {
    // One less than three of 1,000 beside the draft’s 700.
    const { end, output, variants, money, proof, runId } = await refined(
      refinement({ microUsd: 3_699 }),
    )
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(output).toMatchObject({ stopReason: 'cost', problem: null })
    expect(variants).toEqual([])
    expect(money).toEqual({ held: 0, open: 0 })
    expect(withJobs.has(runId)).toBe(false)
    expect(proof).toMatchObject({ holds: true, problems: [], generations: 0 })
    const made = await refined(
      refinement({ microUsd: 20_000, termination: [{ type: 'depth_reached', depth: 1 }] }),
    )
    expect(made.variants).toHaveLength(3)
    expect(withJobs.has(made.runId)).toBe(true)
  }, 60_000)

  it('takes no variants while they or their stage are paused, and loses none of them', async () => {
    const pause = (stage: 'refine' | 'variant', paused: boolean) =>
      db.withSystem('operators', (trx) =>
        changeStageControl(trx, stage, { paused }, { by: 'test', reason: 'as planned' }),
      )
    /** Until a loop has passed from its beginning to its end. */
    const passed = async (loop: string) => {
      const passes = () => worker.stats().loops.find(({ name }) => name === loop)?.passes ?? 0
      const before = passes()
      while (passes() < before + 2) await sleep(20)
    }
    await pause('variant', true)
    await passed('controls')
    expect(worker.stats().stages).toMatchObject({
      refine: { paused: false },
      variant: { paused: true },
    })
    const { end, variants, money, proof } = await refined(
      refinement({ termination: [{ type: 'depth_reached', depth: 1 }] }),
      undefined,
      false,
      async (runId) => {
        const state = async () =>
          (
            await superuser<{ open: number; begun: number; readds: number; isPatient: boolean }>(
              `select count(*)::int as open, count(v.worker_id)::int as begun,
                coalesce(sum(v.readds), 0)::int as readds,
                bool_and(r.wake_at > now() + interval '10 min') as "isPatient"
              from variants v join runs r on r.id = v.run_id and r.park_reason = 'children'
              where run_id = $1 and v.state = 'open'`,
              [runId],
            )
          )[0]
        while ((await state())?.open !== 3) await sleep(20)
        // As after a long pause: idle for an hour, and one minute before nobody waits any more.
        await superuser(
          `with idle as (update variants set progress_at = now() - interval '1 h' where run_id = $1)
          update runs set wake_at = now() + interval '1 min' where id = $1`,
          [runId],
        )
        await passed('sweep')
        expect(await state()).toEqual({ open: 3, begun: 0, readds: 0, isPatient: true })
        await pause('refine', true)
        await pause('variant', false)
        await passed('controls')
        expect(worker.stats().stages).toMatchObject({
          refine: { paused: true },
          variant: { paused: true, active: 0 },
        })
        await passed('sweep')
        expect(await state()).toMatchObject({ begun: 0, readds: 0 })
        await pause('refine', false)
      },
    )
    expect(end).toEqual({ state: 'succeeded', error_code: null })
    expect(variants.map(({ state }) => state)).toEqual(['done', 'done', 'done'])
    expect(money).toEqual({ held: 0, open: 0 })
    expect(proof).toMatchObject({ holds: true, problems: [] })
  }, 60_000)

  it('leaves every row as verify wants it', async () => {
    const { code, stdout } = await almanac(['verify'], { env: { DATABASE_URL: url } })
    expect(stdout).not.toContain('✕')
    expect(code).toBe(0)
  }, 60_000)
})
