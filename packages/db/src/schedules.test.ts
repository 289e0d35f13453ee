import { dueAt, windowOf } from '@almanac/domain/cadence'
import type { PeriodPlan, Scheduled } from '@almanac/pipeline'
import { describe, expect, it } from 'vitest'
import { testDatabase, testTenant, type TestTenantOptions } from '../../../test/support/postgres.ts'
import { createDriver } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { schedules } = driver.operations
const due = new Date('2022-03-21T12:00:00Z')

/** A tenant whose weekly schedule is due at the instant above, and whose others are not. */
async function scheduled(specification: TestTenantOptions['specification'] = {}) {
  await superuser('update specifications set next_due_at = null')
  const tenant = await testTenant(db, {
    specification: { cadence: 'weekly', schedule: 'automatic', ...specification },
  })
  await superuser('update specifications set next_due_at = $1 where id = $2', [
    due,
    tenant.specificationId,
  ])
  const ledger = () =>
    superuser<Record<string, unknown>>(
      `select period_key, state, run_id, reason, failures from slots where specification_id = $1
        order by period_key`,
      [tenant.specificationId],
    )
  return { ...tenant, ledger }
}

const planOf = (
  { tenantId, specificationId, revision, body }: Scheduled,
  periodKey: string,
  over: Partial<PeriodPlan> = {},
): PeriodPlan => {
  const { timeZone, coverage } = body
  const asked = { cadence: 'weekly', coverage, timeZone, periodKey } as const
  const { from, to } = windowOf({ ...asked, lookBackDays: 7, createdAt: due.toISOString() })
  const at = dueAt({ ...asked, offsetMinutes: 0, spreadMinutes: 0, seed: specificationId })
  return {
    tenantId,
    specificationId,
    revision,
    periodKey,
    from,
    to,
    dueAt: at,
    deadlineAt: new Date(Date.parse(at) + 86_400_000).toISOString(),
    cadence: 'weekly',
    timeZone,
    action: 'run',
    reason: null,
    ...over,
  }
}

/** Makes W11, skips W10, and looks again a week later. */
const plan = (it: Scheduled) => ({
  periods: [
    planOf(it, '2022-W10', { action: 'skip', reason: 'catch-up is latest' }),
    planOf(it, '2022-W11'),
  ],
  nextDueAt: '2022-03-28T12:00:00Z',
})

describe('a due schedule', () => {
  it('enters its periods, queues their runs and knows when it is due next', async () => {
    const { specificationId, tenantId, principalId, ledger } = await scheduled()
    expect(await schedules.takeDue(due, 10, plan)).toEqual({ specifications: 1, runs: 1 })
    const [skipped, reserved] = await ledger()
    expect(skipped).toMatchObject({
      period_key: '2022-W10',
      state: 'skipped',
      run_id: null,
      reason: 'catch-up is latest',
    })
    expect(reserved).toMatchObject({ period_key: '2022-W11', state: 'reserved' })
    const [run] = await superuser(
      'select state, trigger, period, period_key, requested_by, revision from runs where id = $1',
      [reserved?.['run_id']],
    )
    expect(run).toEqual({
      state: 'queued',
      trigger: 'schedule',
      period: '2022-W11',
      period_key: '2022-W11',
      requested_by: principalId,
      revision: 1,
    })
    const [row] = await superuser('select next_due_at from specifications where id = $1', [
      specificationId,
    ])
    expect(row).toEqual({ next_due_at: new Date('2022-03-28T12:00:00Z') })
    expect(await schedules.takeDue(due, 10, plan)).toEqual({ specifications: 0, runs: 0 })
    expect(tenantId).toBeTruthy()
  })

  it('tells the planner what it needs to know', async () => {
    const { specificationId, tenantId, body } = await scheduled()
    await schedules.takeDue(due, 10, plan)
    await superuser('update specifications set next_due_at = $1', [due])
    const seen: Scheduled[] = []
    await schedules.takeDue(due, 10, (it) => {
      seen.push(it)
      return { periods: [], nextDueAt: null }
    })
    const { activatedAt, ...rest } = seen.find((it) => it.tenantId === tenantId) ?? {
      activatedAt: '',
    }
    expect(rest).toEqual({
      tenantId,
      specificationId,
      revision: 1,
      body,
      lastPeriodKey: '2022-W11',
    })
    expect(Date.parse(activatedAt)).toBeGreaterThan(0)
  })

  it('is taken once by ticks that come at once', async () => {
    const { ledger } = await scheduled()
    const passes = await Promise.all([1, 2, 3, 4].map(() => schedules.takeDue(due, 10, plan)))
    expect(passes.reduce((sum, { runs }) => sum + runs, 0)).toBe(1)
    expect(await ledger()).toHaveLength(2)
  })

  it('leaves a period alone that was made or is being made by hand', async () => {
    const { tenantId, specificationId, ledger } = await scheduled()
    await schedules.takeDue(due, 10, plan)
    const [, before] = await ledger()
    await superuser('update specifications set next_due_at = $1 where id = $2', [
      due,
      specificationId,
    ])
    expect(await schedules.takeDue(due, 10, plan)).toEqual({ specifications: 1, runs: 0 })
    expect((await ledger())[1]).toEqual(before)
    expect(tenantId).toBeTruthy()
  })

  it('of a paused specification is not due', async () => {
    const { specificationId } = await scheduled()
    await superuser(`update specifications set state = 'paused' where id = $1`, [specificationId])
    expect(await schedules.takeDue(due, 10, plan)).toEqual({ specifications: 0, runs: 0 })
  })

  it('runs to the end on the slot that was reserved for it', async () => {
    const { tenantId, ledger } = await scheduled()
    await schedules.takeDue(due, 10, (it) => ({
      periods: [planOf(it, '2022-W10')],
      nextDueAt: null,
    }))
    const [job] = await driver.admit(tenantId)
    if (!job) throw new Error('nothing queued')
    expect(await driver.succeed(tenantId, job.runId)).toBe('committed')
    expect(await ledger()).toMatchObject([{ state: 'consumed', run_id: job.runId }])
  })
})

describe('a free slot of a schedule', () => {
  /** A schedule whose run of W11 has just failed. */
  async function failed(specification: TestTenantOptions['specification'] = {}) {
    const made = await scheduled(specification)
    await schedules.takeDue(due, 10, plan)
    const [job] = await driver.admit(made.tenantId)
    if (!job) throw new Error('nothing queued')
    await driver.move(made.tenantId, job.runId, {
      to: 'failed',
      code: 'STAGE_FAILED',
      params: { stage: 'retrieve' },
      detail: 'It failed.',
    })
    // By the database's clock the deadline has long passed; the tests bring their own instant.
    await superuser(
      `update slots set retry_at = '2022-03-21T12:30:00Z' where specification_id = $1 and state = 'free'`,
      [made.specificationId],
    )
    return made
  }
  const soon = new Date('2022-03-21T12:29:00Z')
  const then = new Date('2022-03-21T12:30:00Z')
  const late = new Date('2022-03-23T00:00:00Z')

  it('is tried again with a new run when its time has come', async () => {
    const { ledger } = await failed()
    expect(await schedules.retryFree(soon, 10)).toEqual({ retried: 0, missed: 0 })
    expect(await schedules.retryFree(then, 10)).toEqual({ retried: 1, missed: 0 })
    expect((await ledger())[1]).toMatchObject({ state: 'reserved', failures: 1 })
    expect(await schedules.retryFree(then, 10)).toEqual({ retried: 0, missed: 0 })
  })

  it('is missed after its deadline, with the reason of the last failure', async () => {
    const { ledger } = await failed()
    expect(await schedules.retryFree(late, 10)).toEqual({ retried: 0, missed: 1 })
    expect((await ledger())[1]).toMatchObject({ state: 'missed', reason: 'STAGE_FAILED' })
  })

  it('is missed at once when the specification gives a period one chance', async () => {
    const { ledger } = await failed({ retryWithinPeriod: false })
    expect(await schedules.retryFree(then, 10)).toEqual({ retried: 0, missed: 1 })
    expect((await ledger())[1]).toMatchObject({ state: 'missed' })
  })

  it('of a paused specification keeps its place', async () => {
    const { specificationId, ledger } = await failed()
    await superuser(`update specifications set state = 'paused' where id = $1`, [specificationId])
    expect(await schedules.retryFree(then, 10)).toEqual({ retried: 0, missed: 0 })
    expect((await ledger())[1]).toMatchObject({ state: 'free' })
  })
})
