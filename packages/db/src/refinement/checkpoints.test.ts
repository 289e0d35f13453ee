import { isAlmanacError, type CheckpointId, type PrincipalId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../../test/support/postgres.ts'
import { cancelRun } from '../nouns/runs.ts'
import { createDriver } from '../testing/drive-run.ts'
import { raiseLimits } from './change-limits.ts'
import {
  answerCheckpoint,
  expireCheckpoints,
  lendCheckpoint,
  remindCheckpoints,
} from './checkpoints.ts'
import { listCheckpoints, previewCheckpoints } from './list-checkpoints.ts'
import { prepareCall } from './prepare-call.ts'
import { proveRoot } from './prove-root.ts'
import { rollBack } from './settle-root.ts'
import { resumeRoot } from './stored-root.ts'
import { createRefiner, type RefinedRun } from './testing/refined-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const refiner = createRefiner(db, driver)

beforeAll(async () => {
  const process = { host: 'test', pid: 1, version: '0' }
  await driver.operations.leases.register({ id: driver.workerId, ...process }, 3_600_000)
})

/** A root that waits at a checkpoint: its first generation would be the last one allowed. */
async function waiting(policy: 'human' = 'human') {
  const root = await refiner.open({ policy, limits: { maxDepth: 1 } })
  const prepared = await prepareCall(db, root.claim, refiner.wanted(root))
  if (prepared.kind !== 'waiting') throw new Error(prepared.kind)
  return { root, checkpointId: prepared.checkpointId, other: await principal(root) }
}

async function principal({ tenant }: RefinedRun): Promise<PrincipalId> {
  const id = newId('principal')
  await db.withTenant(tenant.tenantId, (trx) =>
    trx
      .insertInto('principals')
      .values({ tenant_id: tenant.tenantId, id, kind: 'person', name: 'Another person' })
      .execute(),
  )
  return id
}

const answer = (
  { tenant }: RefinedRun,
  principalId: PrincipalId,
  checkpointId: CheckpointId,
  decision: 'approved' | 'denied' = 'approved',
  { mayApprove = true, snapshotHash }: { mayApprove?: boolean; snapshotHash?: string } = {},
) =>
  answerCheckpoint(
    db,
    tenant.tenantId,
    { principalId, mayApprove },
    { checkpointId, decision, reason: 'because', snapshotHash },
  ).then(
    () => 'done',
    (error: unknown) => (isAlmanacError(error) ? error.code : error),
  )

const refusalOf = (root: RefinedRun, claim = root.claim, over: object = {}) =>
  prepareCall(db, claim, refiner.wanted({ ...root, claim }, over)).then(
    ({ kind }) => kind,
    (error: unknown) =>
      isAlmanacError(error, 'REFINEMENT_REFUSED') ? error.params.refusal : error,
  )

const acts = async ({ claim }: RefinedRun, action: string) =>
  superuser<{ actor: string; detail: string }>(
    'select actor, detail from audit_events where subject = $1 and action = $2',
    [claim.runId, action],
  )

const prove = async ({ tenant, claim }: RefinedRun) => {
  while ((await driver.operations.chain.link(1_000)) > 0);
  return db.withTenant(tenant.tenantId, (trx) => proveRoot(trx, tenant.tenantId, claim.runId))
}

/** As if the time of a checkpoint had run out. */
const runOut = (id: CheckpointId) =>
  superuser(
    `update checkpoints set requested_at = now() - interval '2 h', expires_at = now() - interval '1 h' where id = $1`,
    [id],
  )

describe('a checkpoint', () => {
  it('parks the run without job, worker or hold; approved, it is good for one generation', async () => {
    const { root, checkpointId, other } = await waiting()
    const [row] = await superuser(
      `select state, park_reason, wake_at = (select expires_at from checkpoints where run_id = r.id) as waits,
        (select count(*)::int from engine_calls where run_id = r.id) as calls
        from runs r where id = $1`,
      [root.claim.runId],
    )
    expect(row).toEqual({ state: 'parked', park_reason: 'checkpoint', waits: true, calls: 0 })
    expect(await answer(root, other, checkpointId)).toBe('done')
    const claim = await refiner.comeBack(root)
    expect(claim.epoch).toBeGreaterThan(root.claim.epoch)
    expect(await prepareCall(db, claim, refiner.wanted({ ...root, claim }))).toMatchObject({
      kind: 'booked',
    })
    expect(await prove(root)).toMatchObject({ holds: true, problems: [], generations: 1 })
  })

  it('denied or expired ends the recursion', async () => {
    const denied = await waiting()
    expect(await answer(denied.root, denied.other, denied.checkpointId, 'denied')).toBe('done')
    const back = await refiner.comeBack(denied.root)
    expect(await refusalOf(denied.root, back)).toBe('CHECKPOINT_DENIED')
    expect((await resumeRoot(db, back))?.lineage.checkpoint?.decision).toBe('denied')

    const late = await waiting()
    await runOut(late.checkpointId)
    expect(await expireCheckpoints(db)).toBe(1)
    expect(await expireCheckpoints(db)).toBe(0)
    expect(await refusalOf(late.root, await refiner.comeBack(late.root))).toBe('CHECKPOINT_EXPIRED')
    expect(await acts(late.root, 'checkpoint.decided')).toMatchObject([{ actor: 'system' }])
    expect(await prove(late.root)).toMatchObject({ holds: true, problems: [] })
  })

  it('that the sweep woke without a decision has expired', async () => {
    const { root, checkpointId, other } = await waiting()
    await superuser('update runs set wake_at = now() where id = $1', [root.claim.runId])
    await driver.operations.sweep.wake()
    const claim = await refiner.comeBack(root)
    expect(await answer(root, other, checkpointId)).toBe('CHECKPOINT_CLOSED')
    expect(await refusalOf(root, claim)).toBe('CHECKPOINT_EXPIRED')
  })

  it('is reminded of once, when half its time is over', async () => {
    const { root, checkpointId } = await waiting()
    expect(await remindCheckpoints(db)).toBe(0)
    await superuser(
      `update checkpoints set requested_at = now() - interval '13 h', expires_at = now() + interval '11 h' where id = $1`,
      [checkpointId],
    )
    expect(await remindCheckpoints(db)).toBe(1)
    expect(await remindCheckpoints(db)).toBe(0)
    const events = await superuser<{ type: string }>(
      `select type from run_events where run_id = $1 and type like 'checkpoint.%' order by seq`,
      [root.claim.runId],
    )
    expect(events.map(({ type }) => type)).toEqual(['checkpoint.requested', 'checkpoint.reminded'])
  })

  it('is cancelled with its run', async () => {
    const { root, checkpointId, other } = await waiting()
    const { tenantId, principalId } = root.tenant
    await db.withTenant(tenantId, (trx) => cancelRun(trx, tenantId, principalId, root.claim.runId))
    expect(await answer(root, other, checkpointId)).toBe('CHECKPOINT_CLOSED')
    const [row] = await superuser('select decision, decided_by from checkpoints where id = $1', [
      checkpointId,
    ])
    expect(row).toEqual({ decision: 'cancelled', decided_by: principalId })
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('of several answers at once takes one', async () => {
    const { root, checkpointId, other } = await waiting()
    const answers = await Promise.all(
      (['approved', 'denied', 'approved', 'denied'] as const).map((decision) =>
        answer(root, other, checkpointId, decision),
      ),
    )
    expect(answers.filter((found) => found === 'done')).toHaveLength(1)
    expect(answers.filter((found) => found === 'CHECKPOINT_CLOSED')).toHaveLength(3)
    expect(await acts(root, 'checkpoint.decided')).toHaveLength(1)
    expect(await acts(root, 'checkpoint.answer_refused')).toHaveLength(3)
  })

  it('is listed, and summed up for a decision about many', async () => {
    const { root, checkpointId } = await waiting()
    const { tenantId } = root.tenant
    const [page, preview] = await db.withTenant(tenantId, async (trx) => [
      await listCheckpoints(trx, tenantId, { limit: 10, cursor: undefined, decided: false }),
      await previewCheckpoints(trx, tenantId, { runId: root.claim.runId }),
    ])
    expect(page.data).toMatchObject([
      { id: checkpointId, decision: null, reached: [{ limit: 'depth', after: 1, allowed: 1 }] },
    ])
    expect(preview).toEqual({
      checkpoints: [{ id: checkpointId, snapshotHash: page.data[0]?.snapshotHash }],
      estimate: { microUsd: 3_000, tokens: 300 },
    })
  })
})

describe('an answer is refused and recorded', () => {
  it.each([
    ['own', 'CHECKPOINT_OWN_REQUEST', 'own_request'],
    ['without scope', 'SCOPE_MISSING', 'not_allowed'],
    ['reused', 'CHECKPOINT_CLOSED', 'reused'],
    ['expired', 'CHECKPOINT_CLOSED', 'expired'],
    ['of another snapshot', 'CHECKPOINT_CLOSED', 'stale'],
  ])('%s', async (how, code, because) => {
    const { root, checkpointId, other } = await waiting()
    if (how === 'reused') await answer(root, other, checkpointId, 'denied')
    if (how === 'expired') await runOut(checkpointId)
    const who = how === 'own' ? root.tenant.principalId : other
    const options = {
      mayApprove: how !== 'without scope',
      ...(how === 'of another snapshot' ? { snapshotHash: 'seen before' } : {}),
    }
    expect(await answer(root, who, checkpointId, 'approved', options)).toBe(code)
    const [refused] = await acts(root, 'checkpoint.answer_refused')
    expect(refused?.actor).toBe(who)
    expect(JSON.parse(refused?.detail ?? '')).toMatchObject({ because, checkpointId })
    // What came too late has ended the wait; everything else left it as it was.
    const state = await refiner.stateOf(root.tenant, root.claim.runId)
    expect(state).toBe(['expired', 'reused'].includes(how) ? 'queued' : 'parked')
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('of another tenant, in the name of who tried', async () => {
    const [mine, theirs] = [await waiting(), await waiting()]
    expect(await answer(mine.root, mine.other, theirs.checkpointId)).toBe('NOT_FOUND')
    const rows = await superuser(
      `select tenant_id, actor from audit_events where subject = $1 and action = 'checkpoint.answer_refused'`,
      [theirs.checkpointId],
    )
    expect(rows).toEqual([{ tenant_id: mine.root.tenant.tenantId, actor: mine.other }])
    expect(await refiner.stateOf(theirs.root.tenant, theirs.root.claim.runId)).toBe('parked')
  })
})

describe('approving one’s own request', () => {
  it('is taken where the tenant allows it', async () => {
    const { root, checkpointId } = await waiting()
    const { tenantId, principalId } = root.tenant
    await superuser('update tenants set allow_self_approval = true where id = $1', [tenantId])
    expect(await answer(root, principalId, checkpointId)).toBe('done')
  })
})

describe('lending', () => {
  it('lets another principal answer this checkpoint, audited', async () => {
    const { root, checkpointId, other } = await waiting()
    const { tenantId, principalId } = root.tenant
    const borrower = await principal(root)
    const lend = (from: PrincipalId, mayApprove = true) =>
      db.withTenant(tenantId, (trx) =>
        lendCheckpoint(
          trx,
          tenantId,
          { principalId: from, mayApprove },
          { checkpointId, to: borrower },
        ),
      )
    await expect(lend(principalId)).rejects.toMatchObject({ code: 'CHECKPOINT_OWN_REQUEST' })
    await expect(lend(other, false)).rejects.toMatchObject({ code: 'SCOPE_MISSING' })
    expect(await answer(root, borrower, checkpointId, 'approved', { mayApprove: false })).toBe(
      'SCOPE_MISSING',
    )
    await lend(other)
    await lend(other)
    expect(await acts(root, 'checkpoint.lent')).toHaveLength(1)
    expect(await answer(root, borrower, checkpointId, 'approved', { mayApprove: false })).toBe(
      'done',
    )
    const again = await waiting()
    expect(await answer(again.root, borrower, again.checkpointId)).toBe('done')
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })
})

describe('limits', () => {
  it('raised with a reason void what was asked under the old ones', async () => {
    const { root, checkpointId, other } = await waiting()
    const { tenantId, principalId } = root.tenant
    const raise = (who: PrincipalId, limits: object, mayApprove = true) =>
      raiseLimits(
        db,
        tenantId,
        { principalId: who, mayApprove },
        { runId: root.claim.runId, limits, reason: 'worth it' },
      )
    await expect(raise(principalId, { maxDepth: 5 })).rejects.toMatchObject({
      code: 'CHECKPOINT_OWN_REQUEST',
    })
    await expect(raise(other, { maxDepth: 5 }, false)).rejects.toMatchObject({
      code: 'SCOPE_MISSING',
    })
    await expect(raise(other, { maxDepth: 11 })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(raise(other, { maxChildren: 1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(raise(other, { checkpointRatio: 0.7 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
    expect(await raise(other, { maxDepth: 5 })).toMatchObject({ maxDepth: 5, maxChildren: 100 })
    expect(await answer(root, other, checkpointId)).toBe('CHECKPOINT_CLOSED')
    const claim = await refiner.comeBack(root)
    expect(await refusalOf(root, claim)).toBe('booked')
    const [changed] = await acts(root, 'refinement.limits_changed')
    expect(JSON.parse(changed?.detail ?? '')).toMatchObject({
      reason: 'worth it',
      limits: { maxDepth: 5 },
    })
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('raised after an approval take it back', async () => {
    const { root, checkpointId, other } = await waiting()
    await answer(root, other, checkpointId)
    const { tenantId } = root.tenant
    const change = {
      runId: root.claim.runId,
      limits: { maxChildren: 100, microUsd: 600_000 },
      reason: 'more',
    }
    await raiseLimits(db, tenantId, { principalId: other, mayApprove: true }, change)
    expect(await refusalOf(root, await refiner.comeBack(root))).toBe('waiting')
  })
})

describe('policies', () => {
  it('to stop denies in its own name, and leaves no hold', async () => {
    const root = await refiner.open({ policy: 'stop', limits: { maxDepth: 1 } })
    expect(await refusalOf(root)).toBe('CHECKPOINT_DENIED')
    expect(await acts(root, 'checkpoint.decided')).toMatchObject([{ actor: 'policy:1' }])
    expect(await refiner.stateOf(root.tenant, root.claim.runId)).toBe('running')
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })

  it('that decide by themselves approve within their extras, and are recorded', async () => {
    const auto = { auto: { maxExtraMicroUsd: 3_000, maxExtraTokens: 300, minGain: 0.1 } }
    const root = await refiner.open({ policy: auto, limits: { maxDepth: 1 } })
    expect(await refusalOf(root)).toBe('booked')
    const poor = await refiner.open({ policy: auto, limits: { maxDepth: 1 } })
    expect(await refusalOf(poor, poor.claim, { estimate: { microUsd: 1_001, tokens: 1 } })).toBe(
      'CHECKPOINT_DENIED',
    )
    for (const one of [root, poor]) {
      expect(await acts(one, 'checkpoint.decided')).toMatchObject([{ actor: 'policy:1' }])
      expect(await prove(one)).toMatchObject({ holds: true, problems: [] })
    }
  })
})

describe('rolling back', () => {
  it('makes an earlier version the one that goes on, audited', async () => {
    const { root, other } = await waiting()
    const { tenantId } = root.tenant
    const before = await superuser<{ id: string }>('select id from versions where run_id = $1', [
      root.claim.runId,
    ])
    const roll = (versionId: string) =>
      db.withTenant(tenantId, (trx) =>
        rollBack(
          trx,
          { tenantId, runId: root.claim.runId },
          { versionId: versionId as never, actor: other, reason: 'better' },
        ),
      )
    await expect(roll(newId('version'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await roll(before[0]?.id ?? '')
    expect(await acts(root, 'refinement.rolled_back')).toHaveLength(1)
    const stored = await resumeRoot(db, await refiner.comeBack(root))
    expect(stored?.lineage.parentId).toBe(before[0]?.id)
    expect(await prove(root)).toMatchObject({ holds: true, problems: [] })
  })
})
