import { isAlmanacError, type RunId } from '@almanac/domain'
import { describe, expect, it } from 'vitest'
import {
  queueRun,
  testDatabase,
  testTenant,
  type TestTenant,
} from '../../../test/support/postgres.ts'
import { createDriver, testPeriod } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { operations } = driver
const period = testPeriod.periodKey
const later = '2099-01-01T00:00:00Z'
const failed = {
  to: 'failed',
  code: 'STAGE_FAILED',
  params: { stage: 'execute' },
  detail: 'It failed.',
} as const

/** A run that is about to claim its period. */
async function claimer(tenant: TestTenant, request: Parameters<typeof queueRun>[2] = {}) {
  const id = await queueRun(db, tenant, { period, onConflict: 'wait', ...request })
  await driver.admit(tenant.tenantId)
  return driver.advance(tenant.tenantId, id, 'cadence')
}

const slot = async (tenant: TestTenant, ordinal = 0) => {
  const [row] = await superuser<{ state: string; run_id: RunId | null; failures: number }>(
    `select state, run_id, failures from slots
      where specification_id = $1 and period_key = $2 and ordinal = $3`,
    [tenant.specificationId, period, ordinal],
  )
  return row
}

const grant = (tenant: TestTenant, ordinal: number) =>
  superuser(
    `insert into slots (tenant_id, specification_id, period_key, ordinal, state, window_from, window_to,
        cadence, time_zone, granted_by, reason)
      values ($1, $2, $3, $4, 'free', $5, $6, 'weekly', 'America/New_York', 'somebody', 'wrong')`,
    [tenant.tenantId, tenant.specificationId, period, ordinal, testPeriod.from, testPeriod.to],
  )

describe('a slot', () => {
  it('is made by the first claim; claiming it again changes nothing', async () => {
    const tenant = await testTenant(db)
    const run = await claimer(tenant)
    expect(await driver.claim(run)).toEqual({ claimed: true })
    expect(await driver.claim(run)).toEqual({ claimed: true })
    expect(await slot(tenant)).toEqual({ state: 'reserved', run_id: run.facts.id, failures: 0 })
  })

  it('goes to exactly one of many that claim it at once', async () => {
    const tenant = await testTenant(db)
    const runs = []
    for (let i = 0; i < 12; i += 1) runs.push(await claimer(tenant))
    const claims = await Promise.all(runs.map((run) => driver.claim(run)))
    const winner = runs[claims.findIndex(({ claimed }) => claimed)]?.facts.id
    expect(claims.filter(({ claimed }) => claimed)).toHaveLength(1)
    expect(claims.filter(({ claimed }) => !claimed)).toEqual(
      Array.from({ length: 11 }, () => ({ claimed: false, because: 'in_progress', by: winner })),
    )
  })

  it.each(['failed', 'blocked'] as const)('is free again when its run ends %s', async (to) => {
    const tenant = await testTenant(db)
    const run = await claimer(tenant)
    await driver.claim(run)
    await driver.move(tenant.tenantId, run.facts.id, { ...failed, to })
    expect(await slot(tenant)).toEqual({ state: 'free', run_id: null, failures: 1 })
    expect(await driver.claim(await claimer(tenant))).toEqual({ claimed: true })
  })

  it('is used up by a success, and then taken', async () => {
    const tenant = await testTenant(db)
    const first = await claimer(tenant)
    const second = await claimer(tenant)
    await driver.succeed(tenant.tenantId, first.facts.id)
    expect(await driver.claim(second)).toEqual({
      claimed: false,
      because: 'taken',
      by: first.facts.id,
    })
  })

  it('may be claimed after it was missed or skipped', async () => {
    for (const state of ['missed', 'skipped']) {
      const tenant = await testTenant(db)
      const run = await claimer(tenant)
      await grant(tenant, 0)
      await superuser('update slots set state = $1 where specification_id = $2', [
        state,
        tenant.specificationId,
      ])
      expect(await driver.claim(run)).toEqual({ claimed: true })
    }
  })

  it('of a higher ordinal needs a grant', async () => {
    const tenant = await testTenant(db)
    const first = await claimer(tenant)
    await driver.succeed(tenant.tenantId, first.facts.id)
    await grant(tenant, 1)
    const second = await claimer(tenant)
    expect(second.facts.ordinal).toBe(1)
    expect(await driver.claim(second)).toEqual({ claimed: true })
    const third = { ...second, facts: { ...second.facts, ordinal: 2 } }
    await expect(driver.claim(third)).rejects.toSatisfy((error) =>
      isAlmanacError(error, 'NOT_FOUND'),
    )
  })

  it('used again under a grant: one document of the period is current', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const first = await claimer(tenant)
    await driver.succeed(tenantId, first.facts.id)
    await grant(tenant, 1)
    const second = await claimer(tenant)
    await driver.succeed(tenantId, second.facts.id)
    const sets = await superuser(
      'select run_id, current, superseded_by from artifact_sets where tenant_id = $1 order by run_id',
      [tenantId],
    )
    expect(sets).toEqual([
      { run_id: first.facts.id, current: false, superseded_by: second.facts.id },
      { run_id: second.facts.id, current: true, superseded_by: null },
    ])
    const [event] = await superuser(
      `select e.data, e.seq = r.event_seq as newest from run_events e join runs r on r.id = e.run_id
        where e.run_id = $1 and e.type = 'artifact.superseded'`,
      [first.facts.id],
    )
    expect(event).toEqual({
      data: { runId: first.facts.id, by: second.facts.id },
      newest: true,
    })
  })

  it('is not given to a run that is no longer running: nobody would free it', async () => {
    const tenant = await testTenant(db)
    const run = await claimer(tenant)
    await driver.move(tenant.tenantId, run.facts.id, failed)
    await expect(driver.claim(run)).rejects.toSatisfy((error) =>
      isAlmanacError(error, 'STATE_CONFLICT'),
    )
    expect(await slot(tenant)).toBeUndefined()
  })
})

describe('a window', () => {
  const dayOf = (day: number) => ({
    periodKey: `2022-03-${String(day).padStart(2, '0')}`,
    cadence: 'daily',
    from: `2022-03-${String(day).padStart(2, '0')}T05:00:00Z`,
    to: `2022-03-${String(day + 1).padStart(2, '0')}T05:00:00Z`,
  })

  it('that a success of another cadence covers is refused; the next one is not', async () => {
    const tenant = await testTenant(db)
    const weekly = await claimer(tenant)
    const daily = await claimer(tenant)
    await driver.succeed(tenant.tenantId, weekly.facts.id)
    expect(await driver.claim(daily, dayOf(12))).toEqual({
      claimed: false,
      because: 'covered',
      by: period,
      until: '2022-03-14T04:00:00.000Z',
    })
    expect(await driver.claim(daily, { ...dayOf(14), from: testPeriod.to })).toEqual({
      claimed: true,
    })
  })

  it('that a success of another zone covers is refused too', async () => {
    const tenant = await testTenant(db)
    const eastern = await claimer(tenant)
    const utc = await claimer(tenant)
    await driver.succeed(tenant.tenantId, eastern.facts.id)
    const claim = await driver.claim(utc, { ...dayOf(13), cadence: 'weekly', timeZone: 'UTC' })
    expect(claim).toMatchObject({ because: 'covered' })
  })

  it('is not covered by a run that has not succeeded', async () => {
    const tenant = await testTenant(db)
    const weekly = await claimer(tenant)
    const daily = await claimer(tenant)
    await driver.claim(weekly)
    expect(await driver.claim(daily, dayOf(12))).toEqual({ claimed: true })
  })
})

describe('runs that wait for a slot', () => {
  /** A holder of the slot, and `count` runs that are parked until it is free. */
  async function queueBehind(count: number) {
    const tenant = await testTenant(db)
    const holder = await claimer(tenant)
    await driver.claim(holder)
    const waiting: RunId[] = []
    for (let i = 0; i < count; i += 1) {
      const run = await claimer(tenant)
      expect(await driver.claim(run)).toMatchObject({ because: 'in_progress' })
      await driver.move(tenant.tenantId, run.facts.id, {
        to: 'parked',
        reason: 'slot',
        wakeAt: later,
      })
      waiting.push(run.facts.id)
    }
    const states = async () =>
      Promise.all(waiting.map(async (id) => (await driver.load(tenant.tenantId, id)).state))
    return { tenant, holder: holder.facts.id, waiting, states }
  }

  it('are queued one by one, the oldest first, when the holder fails', async () => {
    const { tenant, holder, waiting, states } = await queueBehind(3)
    await driver.move(tenant.tenantId, holder, failed)
    expect(await states()).toEqual(['queued', 'parked', 'parked'])
    await driver.admit(tenant.tenantId)
    const first = await driver.load(tenant.tenantId, waiting[0] ?? holder)
    expect(first).toMatchObject({ epoch: 2, nextStage: 'cadence' })
    expect(await driver.claim(first)).toEqual({ claimed: true })
  })

  it('are all queued when the holder succeeds, and find the period taken', async () => {
    const { tenant, holder, waiting, states } = await queueBehind(2)
    await driver.succeed(tenant.tenantId, holder)
    expect(await states()).toEqual(['queued', 'queued'])
    await driver.admit(tenant.tenantId, 2)
    const second = await driver.load(tenant.tenantId, waiting[1] ?? holder)
    expect(await driver.claim(second)).toEqual({ claimed: false, because: 'taken', by: holder })
  })

  it('are found by the sweep when the slot became free before they were parked', async () => {
    const { tenant, holder, states } = await queueBehind(2)
    // What free_slot does, minus the waiters, which it did not see.
    await superuser(`update slots set state = 'free', run_id = null where run_id = $1`, [holder])
    expect(await operations.sweep.wake()).toBe(1)
    expect(await states()).toEqual(['queued', 'parked'])
    expect(await operations.sweep.wake()).toBe(0)
    expect(tenant.tenantId).toBeTruthy()
  })

  it('end blocked when they wait past their deadline', async () => {
    const { tenant, waiting, states } = await queueBehind(1)
    await superuser(`update runs set wake_at = now() - interval '1 second' where id = $1`, waiting)
    expect(await operations.sweep.wake()).toBe(1)
    expect(await states()).toEqual(['blocked'])
    const [row] = await superuser(
      'select error_code, error_detail from runs where id = $1',
      waiting,
    )
    expect(row).toEqual({
      error_code: 'CADENCE_WAIT_EXPIRED',
      error_detail: `The run waited for period ${period} until its deadline.`,
    })
    expect((await slot(tenant))?.state).toBe('reserved')
  })
})
