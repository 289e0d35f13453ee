import { stageNames, type RunId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { LoadedRun } from '@almanac/pipeline'
import { beforeAll, describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { setTenantState } from './nouns/tenants.ts'
import { createDriver, stepCommit } from './testing/drive-run.ts'
import { holdRequest } from './testing/paid-call.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, operations, workerId } = driver
const { sweep, marks, leases } = operations

beforeAll(async () => {
  await leases.register({ id: workerId, host: 'test', pid: 1, version: '0' }, 3_600_000)
})

/** A worker that has just died. */
async function deadWorker() {
  const id = newId('worker')
  await leases.register({ id, host: 'test', pid: 2, version: '0' }, -1)
  return id
}

async function runningRun(request: Parameters<typeof queueRun>[2] = { test: true }) {
  const tenant = await testTenant(db)
  const id = await queueRun(db, tenant, request)
  const [job] = await driver.admit(tenant.tenantId)
  if (!job) throw new Error('not admitted')
  return { tenant, job, run: await driver.load(tenant.tenantId, id) }
}

const reload = ({ facts }: LoadedRun) => driver.load(facts.tenantId, facts.id)
const jobOf = (jobs: { runId: RunId }[], { facts }: LoadedRun) =>
  jobs.find(({ runId }) => runId === facts.id)
/** Lets a run look as if nothing had happened to it for a while. */
const idle = ({ facts }: LoadedRun, seconds: number) =>
  superuser(`update runs set progress_at = now() - make_interval(secs => $2) where id = $1`, [
    facts.id,
    seconds,
  ])
const eventTypes = async ({ facts }: LoadedRun) =>
  (
    await superuser<{ type: string }>(
      'select type from run_events where run_id = $1 order by seq',
      [facts.id],
    )
  ).map(({ type }) => type)

describe('taking over', () => {
  it('raises the epoch of a run whose call belongs to a dead worker; the call is unknown', async () => {
    const { run } = await runningRun()
    await ports.ledger.hold(holdRequest(run, await deadWorker()))
    const jobs = await sweep.takeOver()
    expect(jobOf(jobs, run)).toEqual({
      tenantId: run.facts.tenantId,
      runId: run.facts.id,
      stage: 'retrieve',
      epoch: run.epoch + 1,
      n: 0,
    })
    expect(await reload(run)).toMatchObject({ state: 'running', epoch: run.epoch + 1 })
    expect(await eventTypes(run)).toEqual(['run.queued', 'run.started', 'run.taken_over'])
    const calls = await superuser('select state from engine_calls where run_id = $1', [
      run.facts.id,
    ])
    expect(calls).toEqual([{ state: 'unknown' }])
    expect(await ports.commitStage(stepCommit(run, workerId))).toBe('stale')
  })

  it('takes a run once, whoever sweeps', async () => {
    const { run } = await runningRun()
    await ports.ledger.hold(holdRequest(run, await deadWorker()))
    const both = await Promise.all([sweep.takeOver(), sweep.takeOver()])
    expect(both.flat().filter(({ runId }) => runId === run.facts.id)).toHaveLength(1)
  })

  it('leaves the runs of the living alone', async () => {
    const { run } = await runningRun()
    await ports.ledger.hold(holdRequest(run, workerId))
    expect(jobOf(await sweep.takeOver(), run)).toBeUndefined()
  })

  it('fails a run whose worker died three times in one stage, and frees its slot', async () => {
    const { run } = await runningRun({ period: '2022-W10' })
    const { tenantId, id } = run.facts
    await driver.advance(tenantId, id, 'execute')
    for (let death = 1; death <= 3; death += 1) {
      const { epoch } = await reload(run)
      const worker = await deadWorker()
      await marks.markStart({ tenantId, runId: id, stage: 'execute', epoch, n: 1 }, worker)
      expect(jobOf(await sweep.takeOver(), run) !== undefined).toBe(death < 3)
    }
    const [row] = await superuser(
      `select r.state, r.error_code, r.error_detail, s.state as slot from runs r
        join slots s on s.specification_id = r.specification_id where r.id = $1`,
      [id],
    )
    expect(row).toEqual({
      state: 'failed',
      error_code: 'STAGE_CRASHED',
      error_detail: 'The worker died 3 times while it ran the stage execute.',
      slot: 'free',
    })
  })

  it('counts deaths anew in the next stage', async () => {
    const { run } = await runningRun()
    const { tenantId, id: runId } = run.facts
    for (const stage of stageNames.slice(0, 4)) {
      const { epoch } = await reload(run)
      await marks.markStart({ tenantId, runId, stage, epoch, n: 1 }, await deadWorker())
      expect(jobOf(await sweep.takeOver(), run)).toBeDefined()
      expect(await ports.commitStage(stepCommit(await reload(run), workerId))).toBe('committed')
    }
  })

  it('gives up the open calls of runs that have ended meanwhile', async () => {
    const { run } = await runningRun()
    await ports.ledger.hold(holdRequest(run, await deadWorker()))
    await superuser(`update runs set state = 'failed' where id = $1`, [run.facts.id])
    expect(jobOf(await sweep.takeOver(), run)).toBeUndefined()
    const calls = await superuser('select state from engine_calls where run_id = $1', [
      run.facts.id,
    ])
    expect(calls).toEqual([{ state: 'unknown' }])
  })
})

describe('a run without progress', () => {
  it('gets a job under a fresh number, at growing distances', async () => {
    const { run } = await runningRun()
    await idle(run, 6)
    expect(jobOf(await sweep.stuck(5_000, []), run)).toMatchObject({ epoch: run.epoch, n: 1 })
    expect(jobOf(await sweep.stuck(5_000, []), run)).toBeUndefined()
    await idle(run, 6)
    expect(jobOf(await sweep.stuck(5_000, []), run)).toBeUndefined()
    await idle(run, 11)
    expect(jobOf(await sweep.stuck(5_000, []), run)).toMatchObject({ epoch: run.epoch, n: 2 })
  })

  it('is left alone while its stage is paused', async () => {
    const { run } = await runningRun()
    await idle(run, 60)
    expect(jobOf(await sweep.stuck(5_000, ['retrieve']), run)).toBeUndefined()
  })

  it('is left to the live worker that has its call open or has marked its start', async () => {
    const [called, marked] = [await runningRun(), await runningRun()]
    await ports.ledger.hold(holdRequest(called.run, workerId))
    await marks.markStart(marked.job, workerId)
    await idle(called.run, 60)
    await idle(marked.run, 60)
    const jobs = await sweep.stuck(5_000, [])
    expect(jobOf(jobs, called.run)).toBeUndefined()
    expect(jobOf(jobs, marked.run)).toBeUndefined()
  })

  it('is not left to a mark for longer than any stage may take', async () => {
    const { run, job } = await runningRun()
    await marks.markStart(job, workerId)
    await idle(run, 400)
    expect(jobOf(await sweep.stuck(5_000, []), run)).toMatchObject({ n: 1 })
  })

  it('of a suspended tenant is parked, and goes on when the tenant is resumed', async () => {
    const { tenant, run } = await runningRun()
    const setState = (state: 'active' | 'suspended') =>
      db.withSystem('tenants', (trx) => setTenantState(trx, tenant.tenantId, state))
    await setState('suspended')
    expect(await marks.cancelling([run.facts.id])).toEqual([run.facts.id])
    await idle(run, 60)
    expect(jobOf(await sweep.stuck(5_000, []), run)).toBeUndefined()
    expect(await reload(run)).toMatchObject({ state: 'parked' })
    await sweep.wake()
    expect(await reload(run)).toMatchObject({ state: 'parked' })
    await setState('active')
    await sweep.wake()
    expect(await reload(run)).toMatchObject({ state: 'queued', epoch: run.epoch + 1 })
  })
})

describe('waking', () => {
  const park = async (reason: Parameters<typeof driver.move>[2] & { to: 'parked' }) => {
    const { run } = await runningRun()
    await driver.move(run.facts.tenantId, run.facts.id, reason)
    return run
  }
  const past = '2022-01-01T00:00:00Z'

  it.each(['children', 'economy', 'backoff', 'checkpoint'] as const)(
    'queues a run that is parked for %s, when its time has come',
    async (reason) => {
      const due = await park({ to: 'parked', reason, wakeAt: past })
      const later = await park({ to: 'parked', reason, wakeAt: '2099-01-01T00:00:00Z' })
      await sweep.wake()
      expect(await reload(due)).toMatchObject({ state: 'queued', epoch: due.epoch + 1 })
      expect(await reload(later)).toMatchObject({ state: 'parked', epoch: later.epoch })
    },
  )

  it.each(['provider_stopped', 'tenant_suspended'] as const)(
    'extends a run that is parked for %s to its deadline, then fails it',
    async (reason) => {
      const run = await park({ to: 'parked', reason, wakeAt: past })
      if (reason === 'tenant_suspended')
        await db.withSystem('tenants', (trx) =>
          setTenantState(trx, run.facts.tenantId, 'suspended'),
        )
      await sweep.wake()
      const [parked] = await superuser(
        `select state, wake_at = deadline_at as extended from runs where id = $1`,
        [run.facts.id],
      )
      expect(parked).toEqual({ state: 'parked', extended: true })
      await superuser(
        `update runs set deadline_at = '2026-11-20T10:00:00Z', wake_at = '2026-11-20T10:00:00Z' where id = $1`,
        [run.facts.id],
      )
      await sweep.wake()
      const [row] = await superuser(
        'select state, error_code, error_detail from runs where id = $1',
        [run.facts.id],
      )
      expect(row).toEqual({
        state: 'failed',
        error_code: 'RUN_DEADLINE_PASSED',
        error_detail: 'The run had to end by 2026-11-20T10:00:00.000Z and was still waiting.',
      })
    },
  )
})

describe('cancelling', () => {
  it('ends when nobody works on the run any more', async () => {
    const { run } = await runningRun({ period: '2022-W10' })
    const { tenantId, id } = run.facts
    await driver.advance(tenantId, id, 'execute')
    await ports.ledger.hold(holdRequest(run, workerId))
    await superuser(
      `update runs set state = 'cancelling', cancelled_by = 'somebody' where id = $1`,
      [id],
    )
    expect(await marks.cancelling([id])).toEqual([id])
    expect(await sweep.finishCancelled()).toBe(0)
    await ports.ledger.unknown({ run: run.facts, callKey: 'draft:1', seq: 1 }, 'aborted')
    expect(await sweep.finishCancelled()).toBe(1)
    const [row] = await superuser(
      `select r.state, s.state as slot, (select data from run_events e where e.run_id = r.id
        order by seq desc limit 1) as event from runs r join slots s
        on s.specification_id = r.specification_id where r.id = $1`,
      [id],
    )
    expect(row).toEqual({ state: 'cancelled', slot: 'free', event: { by: 'somebody' } })
  })
})

describe('queued runs', () => {
  it('fail when their deadline has passed before they started', async () => {
    const tenant = await testTenant(db)
    const late = await queueRun(db, tenant, { test: true })
    const early = await queueRun(db, tenant, { test: true })
    await superuser(`update runs set deadline_at = now() - interval '1 minute' where id = $1`, [
      late,
    ])
    expect(await sweep.expireQueued()).toBe(1)
    expect(await driver.load(tenant.tenantId, late)).toMatchObject({ state: 'failed' })
    expect(await driver.load(tenant.tenantId, early)).toMatchObject({ state: 'queued' })
  })
})

describe('partitions', () => {
  it('are made ahead, also by two sweeps at once', async () => {
    await Promise.all([sweep.ensurePartitions(5), sweep.ensurePartitions(5)])
    const [row] = await superuser(
      `select count(*)::int as n from pg_class where relname ~ '^runs_\\d{4}_\\d\\d$'`,
    )
    expect(row).toEqual({ n: 7 })
  })
})
