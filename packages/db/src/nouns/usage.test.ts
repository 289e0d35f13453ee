import { isAlmanacError, usageDimensions, type RunId, type TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { LoadedRun } from '@almanac/pipeline'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../../test/support/postgres.ts'
import { closeCalls } from '../ledger.ts'
import { prepareCall } from '../refinement/prepare-call.ts'
import { recordMerge } from '../refinement/settle-root.ts'
import { createRefiner } from '../refinement/testing/refined-run.ts'
import { createVariantLedger } from '../refinement/variants.ts'
import { createDriver } from '../testing/drive-run.ts'
import { callRef, holdRequest, settlement } from '../testing/paid-call.ts'
import { listLostCalls, readProviderUsage } from './provider-usage.ts'
import { readAllUsage, readUsage, type UsageQuery } from './usage.ts'
import { readWaste } from './waste.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, operations, workerId } = driver
const { ledger } = ports
beforeAll(() =>
  operations.leases.register({ id: workerId, host: 'test', pid: 1, version: '0' }, 3_600_000),
)

async function runsOf(count: number): Promise<LoadedRun[]> {
  const tenant = await testTenant(db)
  const ids: RunId[] = []
  for (let i = 0; i < count; i += 1) ids.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenant.tenantId, count)
  return Promise.all(ids.map((id) => driver.load(tenant.tenantId, id)))
}

const always = { from: '2000-01-01', to: '2999-12-31' }
const usage = (tenantId: TenantId, query: Partial<UsageQuery>) =>
  db.withTenant(tenantId, (trx) =>
    readUsage(trx, { tenantId, ...always, groupBy: ['day'], limit: 100, ...query }),
  )

/** A send of a call: what was held, and how it ended, on which day. */
const send = fc.record({
  run: fc.constantFrom(0, 1, 2),
  cause: fc.constantFrom('draft', 'repair', 'variant', 'judge'),
  hold: fc.record({ usd: fc.integer({ min: 0, max: 900 }), tok: fc.integer({ min: 0, max: 90 }) }),
  cost: fc.record({ usd: fc.integer({ min: 0, max: 999 }), tok: fc.integer({ min: 0, max: 99 }) }),
  end: fc.constantFrom('settled', 'settled', 'late', 'released', 'unknown', 'charged', 'open'),
  day: fc.constantFrom('2026-01-31', '2026-02-01', '2026-02-28', '2026-03-01'),
})

describe('usage', () => {
  it('is what the budgets have spent, to the micro-USD and token, after any history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(send, { minLength: 1, maxLength: 14 }), async (sends) => {
        const runs = await runsOf(3)
        const tenantId = runs[0]?.facts.tenantId ?? newId('tenant')
        for (const [n, one] of sends.entries()) await play(runs, n, one)
        const budgets = await superuser<{ level: string; key: string; spent: string }>(
          `select level, coalesce(nullif(period, ''), subject) as key, concat_ws(' ',
            spent_micro_usd, spent_tokens, overrun_micro_usd) as spent from budgets
            where tenant_id = $1 and (spent_micro_usd > 0 or spent_tokens > 0) order by 1, 2`,
          [tenantId],
        )
        const levels = {
          root: 'run',
          specification: 'specification',
          tenant_day: 'day',
          tenant_month: 'month',
        } as const
        for (const [level, dimension] of Object.entries(levels)) {
          const { data, total } = await usage(tenantId, { groupBy: [dimension] })
          const field = { run: 'runId', specification: 'specificationId' } as const
          const counted = data
            .filter((group) => group.costMicroUsd > 0 || group.tokens > 0)
            .map((group) => ({
              key: group[
                dimension === 'run' || dimension === 'specification' ? field[dimension] : dimension
              ],
              spent: `${group.costMicroUsd} ${group.tokens} ${group.overrunMicroUsd}`,
            }))
          const spent = budgets.filter((row) => row.level === level)
          expect(counted).toEqual(spent.map(({ key, spent: sum }) => ({ key, spent: sum })))
          expect(total.costMicroUsd).toBe(
            spent.reduce((sum, row) => sum + Number(row.spent.split(' ')[0]), 0),
          )
        }
      }),
      { numRuns: 30 },
    )
  }, 120_000)

  it('pages through groups of several fields, each once, with the total of all', async () => {
    const runs = await runsOf(3)
    const tenantId = runs[0]?.facts.tenantId ?? newId('tenant')
    const causes = ['draft', 'repair', 'judge'] as const
    for (const [n, cause] of causes.entries())
      for (const run of [0, 1, 2])
        await play(runs, n, {
          ...{ run, cause, day: '2026-02-01', end: 'settled' },
          hold: { usd: 10, tok: 10 },
          cost: { usd: 7 + n, tok: 4 },
        })
    const groupBy = ['cause', 'run', 'model', 'specification'] as const
    const seen: unknown[] = []
    for (let cursor: string | undefined; ;) {
      const page = await usage(tenantId, { groupBy, limit: 2, cursor })
      expect(page.total).toMatchObject({ calls: 9, costMicroUsd: 72, tokens: 36 })
      seen.push(...page.data)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    const whole = await usage(tenantId, { groupBy })
    expect(whole.nextCursor).toBeNull()
    expect(seen).toEqual(whole.data)
    expect(whole.data).toHaveLength(9)
    expect(whole.data[0]).toMatchObject({ cause: 'draft', model: 'test-1', calls: 1 })
    const all = await usage(tenantId, { groupBy: usageDimensions })
    expect(all.data).toHaveLength(9)
    const none = await usage(tenantId, { from: '2026-02-02', to: '2026-02-03' })
    expect(none).toMatchObject({ data: [], nextCursor: null, total: { calls: 0, costMicroUsd: 0 } })
    const tooMany = db.withTenant(tenantId, (trx) =>
      readAllUsage(trx, { tenantId, ...always, groupBy }, 8),
    )
    await expect(tooMany).rejects.toSatisfy((error) => isAlmanacError(error, 'INPUT_INVALID'))
    await expect(usage(tenantId, { groupBy, cursor: 'x' })).rejects.toSatisfy((error) =>
      isAlmanacError(error, 'INPUT_INVALID'),
    )
  })

  it('of another tenant is not shown, whoever is asked for', async () => {
    const [run] = await runsOf(1)
    const [other] = await runsOf(1)
    if (!run || !other) throw new Error('no run')
    await play([run], 1, {
      ...{ run: 0, cause: 'draft', day: '2026-02-01', end: 'settled' },
      hold: { usd: 10, tok: 10 },
      cost: { usd: 7, tok: 4 },
    })
    const { tenantId } = run.facts
    const seen = await db.withTenant(other.facts.tenantId, (trx) =>
      readUsage(trx, { tenantId, ...always, groupBy: ['run'], limit: 10 }),
    )
    expect(seen.data).toEqual([])
    const every = await db.withSystem('operators', (trx) =>
      readUsage(trx, { tenantId: null, ...always, groupBy: ['tenant'], limit: 100 }),
    )
    expect(every.data).toContainEqual(expect.objectContaining({ tenantId, costMicroUsd: 7 }))
  })

  it('of a provider is by day and model, its lost calls apart', async () => {
    const runs = await runsOf(1)
    const provider = newId('key')
    const cost = { usd: 7, tok: 4 }
    for (const [n, end] of (['settled', 'settled', 'unknown', 'charged'] as const).entries())
      await play(runs, n, {
        ...{ run: 0, cause: 'draft', day: '2026-02-01', end, cost, provider },
        hold: { usd: 10 * (n + 1), tok: 10 },
      })
    const day = '2026-02-01'
    const found = await db.withSystem('operators', async (trx) => ({
      usage: await readProviderUsage(trx, provider, always),
      lost: await listLostCalls(trx, provider, always),
      none: await readProviderUsage(trx, provider, { from: '2026-02-02', to: '2026-02-03' }),
    }))
    expect(found.usage).toEqual([
      { day, model: 'test-1', calls: 3, inputTokens: 8, outputTokens: 0, costMicroUsd: 54 },
    ])
    expect(found.lost).toMatchObject([
      { callKey: 'draft:3', state: 'charged', day, holdMicroUsd: 40 },
      { callKey: 'draft:2', state: 'unknown', day, holdMicroUsd: 30 },
    ])
    expect(found.none).toEqual([])
  })
})

describe('waste', () => {
  it('counts each call once, with its share of all cost and of its specification', async () => {
    const runs = await runsOf(3)
    const [failed] = runs
    if (!failed) throw new Error('no run')
    const { tenantId, specificationId } = failed.facts
    const day = '2026-02-01'
    const paid = (
      run: number,
      n: number,
      cause: 'draft' | 'repair' | 'judge',
      usd: number,
      end = 'settled',
    ) => play(runs, n, { run, cause, day, end, hold: { usd: 500, tok: 10 }, cost: { usd, tok: 4 } })
    await paid(0, 1, 'draft', 100)
    await paid(1, 1, 'draft', 50)
    await paid(1, 1, 'repair', 150)
    await paid(1, 2, 'judge', 0, 'charged')
    await paid(2, 1, 'draft', 200)
    await superuser(`update engine_calls set outcome = 'truncated' where run_id = $1`, [
      runs[2]?.facts.id,
    ])
    await driver.move(tenantId, failed.facts.id, {
      to: 'failed',
      code: 'OUTPUT_INVALID',
      params: {},
      detail: 'x',
    } as never)
    const report = await db.withTenant(tenantId, (trx) => readWaste(trx, { tenantId, ...always }))
    expect(report.total).toEqual({ calls: 5, costMicroUsd: 1_000 })
    expect(report.kinds).toEqual([
      { kind: 'unknown', calls: 1, costMicroUsd: 500, share: 0.5 },
      { kind: 'failed', calls: 1, costMicroUsd: 100, share: 0.1 },
      { kind: 'unusable', calls: 1, costMicroUsd: 200, share: 0.2 },
      { kind: 'losing', calls: 0, costMicroUsd: 0, share: 0 },
      { kind: 'repaired', calls: 1, costMicroUsd: 50, share: 0.05 },
    ])
    expect(report.specifications.map(({ kind, share }) => [kind, share])).toEqual([
      ['unknown', 0.5],
      ['unusable', 0.2],
      ['failed', 0.1],
      ['repaired', 0.05],
    ])
    expect(report.specifications[0]).toMatchObject({ specificationId })
  })

  it('counts variants that nothing was taken from, once their generation is merged', async () => {
    const refiner = createRefiner(db, driver)
    const variantLedger = createVariantLedger(db, ledger)
    const root = await refiner.open({ score: 0.5 })
    const { tenant, claim } = root
    const { tenantId, runId } = claim
    const prepared = await prepareCall(db, claim, refiner.wanted(root))
    if (prepared.kind !== 'booked') throw new Error(prepared.kind)
    const run = await driver.load(tenantId, runId)
    const ends = [
      await refiner.done(tenant, 0.8),
      await refiner.done(tenant, 0.6),
      { state: 'failed' as const, errorCode: 'OUTPUT_INVALID' as const },
    ]
    for (const [i, call] of prepared.calls.entries()) {
      const key = { ...claim, generation: 1, ordinal: i + 1 }
      await refiner.variants.begin(key, workerId)
      await variantLedger.hold({
        ...refiner.holdOf(tenant, claim, root.limits, call),
        callKey: call.callKey,
        estimate: { microUsd: 1_000, tokens: 100 },
      })
      const costMicroUsd = 100 * (i + 1)
      await ledger.settle(callRef(run, 1, call.callKey), settlement({ costMicroUsd }))
    }
    const losing = async () => {
      const { kinds } = await db.withTenant(tenantId, (trx) =>
        readWaste(trx, { tenantId, ...always }),
      )
      return kinds.find(({ kind }) => kind === 'losing')
    }
    expect(await losing()).toMatchObject({ calls: 0 })
    for (const [i, end] of ends.entries())
      await refiner.variants.finish({ ...claim, generation: 1, ordinal: i + 1 }, end)
    expect(await losing()).toMatchObject({ calls: 1, costMicroUsd: 300 })
    const back = await refiner.comeBack(root)
    await recordMerge(db, back, 1, { merge: 'none' })
    expect(await losing()).toMatchObject({ calls: 2, costMicroUsd: 500 })
  })

  it('is nothing where nothing was paid', async () => {
    const [run] = await runsOf(1)
    const tenantId = run?.facts.tenantId ?? newId('tenant')
    const report = await db.withTenant(tenantId, (trx) => readWaste(trx, { tenantId, ...always }))
    expect(report).toMatchObject({ total: { calls: 0, costMicroUsd: 0 }, specifications: [] })
  })
})

interface Sent {
  run: number
  cause: string
  hold: { usd: number; tok: number }
  cost: { usd: number; tok: number }
  end: string
  day: string
  provider?: string
}

/** Sends a call on its day, and ends it as it says; one that no budget lets through is left out. */
async function play(runs: LoadedRun[], n: number, sent: Sent): Promise<void> {
  const run = runs[sent.run]
  if (!run) throw new Error('no run')
  const callKey = `${sent.cause}:${n}`
  const held = await ledger.hold(
    holdRequest(run, workerId, {
      callKey,
      requestHash: `${run.facts.id} ${callKey}`,
      estimate: { microUsd: sent.hold.usd, tokens: sent.hold.tok },
      ...(sent.provider ? { provider: sent.provider } : {}),
    }),
  )
  if (held.state !== 'granted') return
  // As if it had been made then: what it is settled with counts on that day.
  await superuser(
    `update engine_calls set hold_day = $1::date, hold_month = date_trunc('month', $1::date)
      where run_id = $2 and call_key = $3 and seq = $4`,
    [sent.day, run.facts.id, callKey, held.seq],
  )
  const ref = callRef(run, held.seq, callKey)
  const settled = settlement({ costMicroUsd: sent.cost.usd, tokens: sent.cost.tok })
  if (sent.end === 'late' || sent.end === 'unknown' || sent.end === 'charged')
    await ledger.unknown(ref, 'reset')
  if (sent.end === 'settled' || sent.end === 'late') await ledger.settle(ref, settled)
  if (sent.end === 'released') await ledger.release(ref, 'rate')
  const { tenantId, id: runId } = run.facts
  if (sent.end === 'charged')
    await closeCalls(db, [{ tenantId, runId, callKey, seq: held.seq, to: 'charged' }])
}
