import { isAlmanacError, type RefinementLimits } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { conclusionCommit, createDriver } from '../testing/drive-run.ts'
import { callRef, settlement } from '../testing/paid-call.ts'
import { resumeSpending, stopSpending } from '../rates/stops.ts'
import { prepareCall } from './prepare-call.ts'
import { proveRoot } from './prove-root.ts'
import { endRoot, recordMerge } from './settle-root.ts'
import { resumeRoot } from './stored-root.ts'
import { createRefiner, type RefinedRun } from './testing/refined-run.ts'
import { createVariantLedger, type VariantKey } from './variants.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, operations, workerId } = driver
const refiner = createRefiner(db, driver)
const { variants } = refiner
const ledger = createVariantLedger(db, ports.ledger)

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await operations.leases.register({ id: workerId, ...process }, 3_600_000)
})

const prove = async ({ tenant, claim }: RefinedRun) => {
  while ((await operations.chain.link(1_000)) > 0);
  return db.withTenant(tenant.tenantId, (trx) => proveRoot(trx, tenant.tenantId, claim.runId))
}

/** Everything that a refused call must not leave. */
const traces = async ({ claim }: RefinedRun) => {
  const [row] = await superuser<Record<string, number>>(
    `select (select count(*)::int from generations where run_id = $1) as generations,
      (select count(*)::int from variants where run_id = $1) as variants,
      (select count(*)::int from checkpoints where run_id = $1) as checkpoints,
      (select count(*)::int from engine_calls where run_id = $1) as calls,
      (select coalesce(sum(held_micro_usd + held_tokens), 0)::int from budgets where subject = $1) as held,
      (select count(*)::int from audit_events where subject = $1 and action = 'refinement.refused') as refused`,
    [claim.runId],
  )
  return row
}

describe('a generation', () => {
  it('is booked whole, closed one by one, merged once, and the best goes on', async () => {
    const root = await refiner.open({ score: 0.5 })
    const { tenant, claim } = root
    const prepared = await prepareCall(db, claim, refiner.wanted(root))
    expect(prepared).toMatchObject({
      kind: 'booked',
      snapshot: { rootId: claim.runId, depth: 1, childrenGenerated: 0 },
      calls: [{ callKey: 'variant:1:1' }, { callKey: 'variant:1:2' }, { callKey: 'variant:1:3' }],
    })
    expect(await prepareCall(db, claim, refiner.wanted(root))).toEqual({ kind: 'stale' })
    expect(await traces(root)).toMatchObject({ generations: 1, variants: 3, calls: 3, held: 3_300 })
    if (prepared.kind !== 'booked') throw new Error(prepared.kind)

    const key = (ordinal: number) => ({ ...claim, generation: 1, ordinal })
    const run = await driver.load(tenant.tenantId, claim.runId)
    for (const [i, call] of prepared.calls.slice(0, 2).entries()) {
      expect(await variants.begin(key(i + 1), workerId)).toBe('begun')
      const request = {
        ...refiner.holdOf(tenant, claim, root.limits, call),
        callKey: call.callKey,
        estimate: { microUsd: 1_000, tokens: 100 },
      }
      expect(await ledger.hold(request)).toEqual({ state: 'granted', seq: 1 })
      await ledger.settle(callRef(run, 1, call.callKey), settlement({ costMicroUsd: 700 }))
    }
    const end = await refiner.done(tenant, 0.8)
    expect(await variants.finish(key(1), end)).toEqual({ changed: true, remaining: 2 })
    expect(await variants.finish(key(1), end)).toEqual({ changed: false, remaining: 2 })
    const [second, third] = await Promise.all([
      variants.finish(key(2), await refiner.done(tenant, 0.7)),
      variants.finish(key(3), { state: 'failed', errorCode: 'OUTPUT_INVALID' }),
    ])
    expect([second.remaining, third.remaining]).toEqual([0, 0])
    expect(await refiner.stateOf(tenant, claim.runId)).toBe('queued')
    expect(await traces(root)).toMatchObject({ held: 0 })

    const back = await refiner.comeBack(root)
    const stored = await resumeRoot(db, back)
    expect(stored?.generation?.variants.map(({ state }) => state)).toEqual([
      'done',
      'done',
      'failed',
    ])
    expect(stored?.lineage.spent).toEqual({ microUsd: 1_400, tokens: 120 })
    expect(await recordMerge(db, back, 1, { merge: 'none' })).toBe('recorded')
    expect(await recordMerge(db, back, 1, { merge: 'none' })).toBe('duplicate')
    const ended = await endRoot(db, back, 'target')
    expect(ended).toMatchObject({ stopReason: 'target', best: { score: 0.8, depth: 1 } })
    expect(await prove(root)).toMatchObject({
      holds: true,
      problems: [],
      generations: 1,
      pending: 0,
    })
  })

  it('whose holds do not all fit is refused whole', async () => {
    const root = await refiner.open()
    await superuser(
      `insert into budgets (tenant_id, level, subject, limit_micro_usd) values ($1, 'specification', $2, 2500)`,
      [root.tenant.tenantId, root.tenant.specificationId],
    )
    await expect(prepareCall(db, root.claim, refiner.wanted(root))).rejects.toMatchObject({
      code: 'REFINEMENT_REFUSED',
      params: { refusal: 'BUDGET_EXHAUSTED' },
    })
    expect(await traces(root)).toEqual({
      generations: 0,
      variants: 0,
      checkpoints: 0,
      calls: 0,
      held: 0,
      refused: 1,
    })
  })
})

const refusals: [string, Partial<RefinementLimits>, object, string][] = [
  ['without condition', {}, { termination: undefined }, 'TERMINATION_MISSING'],
  ['with an empty list of conditions', {}, { termination: [] }, 'TERMINATION_MISSING'],
  [
    'whose target is reached',
    {},
    { termination: [{ type: 'target_score', score: 0.4 }] },
    'TERMINATION_MET',
  ],
  ['with too many children', { maxChildren: 2 }, {}, 'CHILDREN_EXCEEDED'],
  ['that costs too much', { microUsd: 2_999 }, {}, 'COST_EXCEEDED'],
  ['with too many tokens', { tokens: 299 }, {}, 'TOKENS_EXCEEDED'],
]

describe('a refused call leaves nothing but its record', () => {
  it.each(refusals)('%s', async (_, limits, over, refusal) => {
    const root = await refiner.open({ limits })
    const error = await prepareCall(db, root.claim, refiner.wanted(root, over)).catch(
      (cause: unknown) => cause,
    )
    expect(isAlmanacError(error, 'REFINEMENT_REFUSED') && error.params.refusal).toBe(refusal)
    expect(await traces(root)).toEqual({
      generations: 0,
      variants: 0,
      checkpoints: 0,
      calls: 0,
      held: 0,
      refused: 1,
    })
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('running')
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })
})

describe('a variant', () => {
  it('of a dead worker is begun again, and fails after three deaths', async () => {
    const root = await refiner.open()
    await prepareCall(db, root.claim, refiner.wanted(root, { children: 1 }))
    const key = { ...root.claim, generation: 1, ordinal: 1 }
    for (const crash of [1, 2, 3]) {
      const dead = newId('worker')
      await operations.leases.register({ id: dead, host: 't', pid: 1, version: '0' }, 3_600_000)
      expect(await variants.begin(key, dead)).toBe('begun')
      expect(await variants.begin(key, workerId)).toBe('busy')
      await superuser(`update workers set alive_until = now() - interval '1 s' where id = $1`, [
        dead,
      ])
      await superuser(
        `update variants set progress_at = now() - interval '1 h' where run_id = $1`,
        [root.claim.runId],
      )
      const jobs = await variants.stuck(5_000)
      expect(jobs).toHaveLength(crash < 3 ? 1 : 0)
    }
    expect(await variants.begin(key, workerId)).toBe('closed')
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('queued')
    expect(await traces(root)).toMatchObject({ held: 0 })
  })
})

describe('a variant that the queue brings before the sweep has looked', () => {
  const variantOf = async ({ claim }: RefinedRun) => {
    await superuser(`update variants set progress_at = now() - interval '1 h' where run_id = $1`, [
      claim.runId,
    ])
    const [row] = await superuser('select state, crashes from variants where run_id = $1', [
      claim.runId,
    ])
    return row
  }
  const beginAnother = async (key: VariantKey) => {
    const id = newId('worker')
    await operations.leases.register({ id, host: 't', pid: 1, version: '0' }, 3_600_000)
    return { id, found: await variants.begin(key, id) }
  }
  const oneVariant = async () => {
    const root = await refiner.open()
    await prepareCall(db, root.claim, refiner.wanted(root, { children: 1 }))
    return { root, key: { ...root.claim, generation: 1, ordinal: 1 } }
  }

  it('counts the death of its worker all the same, and leaves the third one to the sweep', async () => {
    const { root, key } = await oneVariant()
    for (const crashes of [0, 1, 2]) {
      const { id, found } = await beginAnother(key)
      expect(found).toBe('begun')
      expect(await variantOf(root)).toEqual({ state: 'open', crashes })
      await superuser(`update workers set alive_until = now() - interval '1 s' where id = $1`, [id])
    }
    expect((await beginAnother(key)).found).toBe('busy')
    const again = await variants.stuck(5_000)
    expect(again.filter(({ runId }) => runId === root.claim.runId)).toEqual([])
    expect(await variantOf(root)).toEqual({ state: 'failed', crashes: 3 })
  })

  it('counts nothing where the worker has left in order', async () => {
    const { root, key } = await oneVariant()
    for (let restarts = 0; restarts < 4; restarts += 1) {
      const { id, found } = await beginAnother(key)
      expect(found).toBe('begun')
      await operations.leases.leave(id)
      // Whoever looks first: the queue, which has its job again, or the sweep.
      await variantOf(root)
      if (restarts % 2 === 0) await variants.stuck(5_000)
    }
    expect(await variantOf(root)).toEqual({ state: 'open', crashes: 0 })
  })
})

describe('a refined run', () => {
  it('succeeds with a version that it stored before, and its proof and the ledger hold', async () => {
    const root = await refiner.open({ score: 0.5 })
    await prepareCall(db, root.claim, refiner.wanted(root, { children: 1 }))
    const end = await refiner.done(root.tenant, 0.9)
    await variants.finish({ ...root.claim, generation: 1, ordinal: 1 }, end)
    const claim = await refiner.comeBack(root)
    await recordMerge(db, claim, 1, { merge: 'none' })
    const ended = await endRoot(db, claim, 'target')
    if (end.state !== 'done') throw new Error(end.state)
    expect(ended?.best.id).toBe(end.version.id)

    const run = await driver.advance(root.tenant.tenantId, claim.runId, 'persist')
    const commit = await conclusionCommit(ports, run, workerId)
    const conclusion = commit.conclusion && { ...commit.conclusion, version: end.version }
    expect(await ports.commitStage({ ...commit, conclusion })).toBe('committed')
    const [row] = await superuser<{ state: string; versions: number }>(
      `select state, (select count(*)::int from versions v where v.run_id = r.id) as versions
        from runs r where id = $1`,
      [claim.runId],
    )
    expect(row).toEqual({ state: 'succeeded', versions: 2 })
    expect(await prove(root)).toMatchObject({ holds: true, problems: [], ended: 'target' })
  })

  it('whose variants hang goes on at its deadline, and is not failed for it', async () => {
    const root = await refiner.open({ score: 0.5 })
    const { runId } = root.claim
    await prepareCall(db, root.claim, refiner.wanted(root, { children: 2 }))
    await variants.finish(
      { ...root.claim, generation: 1, ordinal: 1 },
      await refiner.done(root.tenant, 0.9),
    )
    await superuser('update runs set wake_at = now(), deadline_at = now() where id = $1', [runId])
    await operations.sweep.wake()
    await operations.sweep.expireQueued()
    expect(await refiner.stateOf(root.tenant, runId)).toBe('queued')
    const claim = await refiner.comeBack(root)
    const stored = await resumeRoot(db, claim)
    expect(stored?.generation?.variants.map(({ state }) => state)).toEqual(['done', 'cancelled'])
    expect(await traces(root)).toMatchObject({ held: 0 })
    await recordMerge(db, claim, 1, { merge: 'none' })
    expect(await endRoot(db, claim, 'deadline')).toMatchObject({ best: { score: 0.9 } })
  })
})

describe('stopped spending', () => {
  const asOperator = <T>(work: Parameters<typeof db.withSystem<T>>[1]) =>
    db.withSystem('operators', work)
  const stop = { scope: 'provider', provider: 'test' } as const
  const stopAll = () => asOperator((trx) => stopSpending(trx, stop, 'ops', 'a test'))
  const resume = () => asOperator((trx) => resumeSpending(trx, stop, 'ops'))
  afterEach(resume)

  it.each([
    ['nobody need decide', {}, 'human'],
    // The limit of children is near: the policy decides, and its decision still stands afterwards.
    [
      'a policy decides',
      { maxChildren: 3 },
      { auto: { maxExtraMicroUsd: 9_000, maxExtraTokens: 9_000, minGain: 0 } },
    ],
  ] as const)('books no generation until it is resumed, where %s', async (_, limits, policy) => {
    const root = await refiner.open({ limits, policy })
    await stopAll()
    expect(await prepareCall(db, root.claim, refiner.wanted(root))).toEqual({ kind: 'stopped' })
    const checkpoints = policy === 'human' ? 0 : 1
    const nothing = { generations: 0, calls: 0, held: 0, refused: 0 }
    expect(await traces(root)).toMatchObject({ ...nothing, checkpoints })
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('running')
    await resume()
    expect(await prepareCall(db, root.claim, refiner.wanted(root))).toMatchObject({
      kind: 'booked',
    })
    expect(await traces(root)).toMatchObject({ generations: 1, calls: 3, checkpoints })
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('lets no variant begin what was booked before, until it is resumed', async () => {
    const root = await refiner.open()
    const { tenant, claim, limits } = root
    const prepared = await prepareCall(db, claim, refiner.wanted(root, { children: 1 }))
    if (prepared.kind !== 'booked') throw new Error(prepared.kind)
    const [call] = prepared.calls
    if (!call) throw new Error('nothing was booked')
    const request = {
      ...refiner.holdOf(tenant, claim, limits, call),
      callKey: call.callKey,
      estimate: { microUsd: 1_000, tokens: 100 },
    }
    await stopAll()
    expect(await ledger.hold(request)).toEqual({ state: 'stopped' })
    expect(await traces(root)).toMatchObject({ calls: 1, held: 1_100 })
    await resume()
    expect(await ledger.hold(request)).toEqual({ state: 'granted', seq: 1 })
    expect(await traces(root)).toMatchObject({ calls: 1, held: 1_100 })
  })

  it('that outlasts a refined run’s deadline does not fail it', async () => {
    const root = await refiner.open()
    const { runId, tenantId } = root.claim
    const wakeAt = new Date(Date.now() + 300_000).toISOString()
    const parked = { to: 'parked', reason: 'provider_stopped', wakeAt, provider: 'test' } as const
    expect(await driver.move(tenantId, runId, parked)).toBe('committed')
    await superuser('update runs set wake_at = now(), deadline_at = now() where id = $1', [runId])
    await operations.sweep.wake()
    expect(await refiner.stateOf(root.tenant, runId)).toBe('queued')
  })
})
