import { isAlmanacError, type RunId } from '@almanac/domain'
import { hashed } from '@almanac/domain/hash'
import { describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { plainCodec } from './codec.ts'
import { createCommitStage } from './commit-stage.ts'
import { conclusionCommit, createDriver, moveCommit, stepCommit } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { ports, workerId } = driver

/** A tenant with `count` test runs that are running: they need no slot. */
async function running(count: number) {
  const tenant = await testTenant(db)
  const { tenantId } = tenant
  const runIds: RunId[] = []
  for (let i = 0; i < count; i += 1) runIds.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenantId, count)
  return {
    tenantId,
    runIds,
    runs: await Promise.all(runIds.map((id) => driver.load(tenantId, id))),
  }
}

const one = async () => {
  const { tenantId, runs } = await running(1)
  const [run] = runs
  if (!run) throw new Error('no run')
  return { tenantId, run, id: run.facts.id }
}

describe('a commit', () => {
  it('records output and event and moves the run on', async () => {
    const { tenantId, run, id } = await one()
    expect(await ports.commitStage(stepCommit(run, workerId))).toBe('committed')
    const after = await driver.load(tenantId, id)
    expect(after).toMatchObject({ nextStage: 'cadence', state: 'running', epoch: run.epoch })
    expect(after.outputs).toEqual({ retrieve: '{}' })
    const events = await superuser(
      'select seq, type from run_events where run_id = $1 order by seq',
      [id],
    )
    expect(events).toEqual([
      { seq: 1, type: 'run.queued' },
      { seq: 2, type: 'run.started' },
      { seq: 3, type: 'run.stage_completed' },
    ])
  })

  it('of another epoch is stale and leaves no trace', async () => {
    const { run, id } = await one()
    expect(await ports.commitStage({ ...stepCommit(run, workerId), epoch: 7 })).toBe('stale')
    const [row] = await superuser(
      'select count(*)::int as n from stage_outputs where run_id = $1',
      [id],
    )
    expect(row).toEqual({ n: 0 })
  })

  it('of the wrong stage, or of a run that is not running, is stale', async () => {
    const { tenantId, run, id } = await one()
    expect(await ports.commitStage({ ...stepCommit(run, workerId), stage: 'export' })).toBe('stale')
    await driver.move(tenantId, id, {
      to: 'parked',
      reason: 'economy',
      wakeAt: '2099-01-01T00:00:00Z',
    })
    expect(await ports.commitStage(stepCommit(run, workerId))).toBe('stale')
  })

  it('of a stage that is recorded is a duplicate, also within one group', async () => {
    const { run } = await one()
    const verdicts = await Promise.all([
      ports.commitStage(stepCommit(run, workerId)),
      ports.commitStage(stepCommit(run, workerId)),
    ])
    expect(verdicts.sort()).toEqual(['committed', 'duplicate'])
    expect(await ports.commitStage(stepCommit(run, workerId))).toBe('duplicate')
  })

  it('counts failed tries, and keeps the count over a longer wait', async () => {
    const { tenantId, run, id } = await one()
    const failed = (n: number, move: Parameters<typeof moveCommit>[2]) => ({
      ...moveCommit(run, workerId, move),
      events: [
        {
          type: 'run.stage_failed' as const,
          data: { stage: 'retrieve' as const, try: n, code: 'STAGE_FAILED', retryAt: '' },
        },
      ],
    })
    await ports.commitStage(failed(1, { to: 'again', delayMs: 1_000, code: 'STAGE_FAILED' }))
    await ports.commitStage(
      failed(2, { to: 'parked', reason: 'backoff', wakeAt: new Date().toISOString() }),
    )
    await driver.operations.sweep.wake()
    const queued = await driver.load(tenantId, id)
    expect(queued).toMatchObject({ state: 'queued', tries: 2, epoch: run.epoch + 1 })
    const tries = await superuser(
      'select try, code from stage_tries where run_id = $1 order by try',
      [id],
    )
    expect(tries).toEqual([
      { try: 1, code: 'STAGE_FAILED' },
      { try: 2, code: 'STAGE_FAILED' },
    ])
  })

  it('that fails keeps the error for people', async () => {
    const { tenantId, id } = await one()
    const code = 'STAGE_FAILED'
    await driver.move(tenantId, id, {
      to: 'failed',
      code,
      params: { stage: 'x' },
      detail: 'It failed.',
    })
    const [row] = await superuser(
      'select state, error_code, error_params, error_detail, finished_at is not null as over from runs where id = $1',
      [id],
    )
    expect(row).toEqual({
      state: 'failed',
      error_code: code,
      error_params: { stage: 'x' },
      error_detail: 'It failed.',
      over: true,
    })
  })
})

describe('a group of commits', () => {
  it('rejects only the culprit when one holds a NUL or half a character', async () => {
    const { tenantId, runs } = await running(4)
    const commits = runs.map((run) => stepCommit(run, workerId))
    const [, nul, half] = commits
    if (nul) nul.output = JSON.stringify({ text: 'a\u0000b' })
    if (half) half.output = JSON.stringify({ text: '\ud800' })
    const results = await Promise.allSettled(commits.map((commit) => ports.commitStage(commit)))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    const after = await Promise.all(runs.map(({ facts }) => driver.load(tenantId, facts.id)))
    expect(after.map(({ nextStage }) => nextStage)).toEqual([
      'cadence',
      'retrieve',
      'retrieve',
      'cadence',
    ])
  })

  it('takes text that only looks like a NUL', async () => {
    const { tenantId, run, id } = await one()
    const output = JSON.stringify({ text: 'the escape \\u0000' })
    expect(await ports.commitStage({ ...stepCommit(run, workerId), output })).toBe('committed')
    expect((await driver.load(tenantId, id)).outputs.retrieve).toBe(output)
  })

  it('rejects only the culprit when the database refuses one', async () => {
    const { tenantId, runs } = await running(3)
    const commits = runs.map((run) => stepCommit(run, workerId))
    const [, wrong] = commits
    if (wrong) wrong.durationMs = 0.5
    const results = await Promise.allSettled(commits.map((commit) => ports.commitStage(commit)))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const [, rejected] = results
    expect(rejected?.status === 'rejected' && isAlmanacError(rejected.reason, 'STAGE_FAILED')).toBe(
      true,
    )
    expect((await driver.load(tenantId, runs[2]?.facts.id ?? 'run_')).nextStage).toBe('cadence')
  })

  it('stores the texts that an output names in the same commit, or neither', async () => {
    const { tenantId, runIds } = await running(3)
    const runs = await Promise.all(runIds.map((id) => driver.load(tenantId, id)))
    const texts = runs.map((_, i) => hashed(`{"package":${i}}`))
    const commits = runs.map((run, i) => ({
      ...stepCommit(run, workerId),
      texts: texts.slice(i, i + 1),
    }))
    const [, wrong] = commits
    if (wrong) wrong.durationMs = 0.5
    await Promise.allSettled(commits.map((commit) => ports.commitStage(commit)))
    const stored = await superuser(
      `select sha256, convert_from(bytes, 'utf8') as text from blobs where tenant_id = $1`,
      [tenantId],
    )
    expect(new Map(stored.map(({ sha256, text }) => [sha256, text]))).toEqual(
      new Map([texts[0], texts[2]].map((one) => [one?.hash, one?.text])),
    )
  })

  it('never deadlocks: eight flushers over the same runs commit each stage once', async () => {
    const { tenantId, runIds } = await running(40)
    const flushers = Array.from({ length: 8 }, () => createCommitStage(db, plainCodec))
    for (const stage of ['retrieve', 'cadence', 'assemble', 'execute'] as const) {
      const runs = await Promise.all(runIds.map((id) => driver.load(tenantId, id)))
      const verdicts = await Promise.all(
        flushers.flatMap(({ commitStage }, i) =>
          // Every flusher in an order of its own.
          [...runs.slice(i * 5), ...runs.slice(0, i * 5)].map((run) =>
            commitStage(stepCommit(run, workerId)),
          ),
        ),
      )
      expect(verdicts.filter((verdict) => verdict === 'committed')).toHaveLength(40)
      expect(verdicts.filter((verdict) => verdict === 'duplicate')).toHaveLength(280)
      const [row] = await superuser(
        `select count(*)::int as n from stage_outputs where tenant_id = $1 and stage = $2`,
        [tenantId, stage],
      )
      expect(row).toEqual({ n: 40 })
    }
    const gaps = await superuser(
      `select run_id from run_events where tenant_id = $1 group by run_id
        having max(seq) <> count(*) or min(seq) <> 1`,
      [tenantId],
    )
    expect(gaps).toEqual([])
  })
})

describe('a success', () => {
  it('records everything at once and uses the period up', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const id = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    expect(await driver.succeed(tenantId, id)).toBe('committed')
    const [row] = await superuser(
      `select r.state, r.score, r.period_key, s.state as slot, t.current, v.label,
        (select count(*)::int from artifacts a where a.run_id = r.id) as artifacts,
        (select count(*)::int from deliveries d where d.run_id = r.id) as deliveries,
        (select detail from audit_events e where e.subject = r.id) as audit
      from runs r join slots s on s.run_id = r.id join artifact_sets t on t.run_id = r.id
        join versions v on v.run_id = r.id where r.id = $1`,
      [id],
    )
    expect(row).toMatchObject({
      state: 'succeeded',
      score: 0.9,
      period_key: '2022-W10',
      slot: 'consumed',
      current: true,
      label: '1',
      artifacts: 2,
      deliveries: 1,
    })
    expect(JSON.parse(String(row?.['audit']))).toMatchObject({ score: 0.9 })
  })

  it('is recorded beside others in one group, each with what is its own', async () => {
    const tenants = await Promise.all(Array.from({ length: 5 }, () => testTenant(db)))
    const ids = await Promise.all(
      tenants.map(async (tenant) => {
        const id = await queueRun(db, tenant, { period: '2022-W10' })
        await driver.admit(tenant.tenantId)
        await driver.advance(tenant.tenantId, id, 'persist')
        return id
      }),
    )
    const commits = await Promise.all(
      tenants.map(async ({ tenantId }, i) =>
        conclusionCommit(ports, await driver.load(tenantId, ids[i] ?? 'run_'), workerId),
      ),
    )
    const [first] = commits
    if (!first) throw new Error('no commit')
    const verdicts = await Promise.all([...commits, first].map((c) => ports.commitStage(c)))
    expect(verdicts).toEqual([...commits.map(() => 'committed'), 'duplicate'])
    const rows = await superuser(
      `select r.tenant_id, v.content_hash, count(a.*)::int as artifacts, s.state from runs r
        join versions v on v.run_id = r.id join artifacts a on a.run_id = r.id
        join slots s on s.run_id = r.id where r.id = any ($1)
        group by 1, 2, 4, r.id order by array_position($1, r.id::text)`,
      [ids],
    )
    expect(rows).toEqual(
      commits.map(({ tenantId, conclusion }) => ({
        tenant_id: tenantId,
        content_hash: conclusion?.version.contentHash,
        artifacts: 2,
        state: 'consumed',
      })),
    )
  })

  it('in one group with another of its period leaves one of them current', async () => {
    const tenant = await testTenant(db)
    const { tenantId, specificationId } = tenant
    const planned = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    await driver.advance(tenantId, planned, 'persist')
    await superuser(
      `insert into slots (tenant_id, specification_id, period_key, ordinal, state, window_from,
          window_to, cadence, time_zone, granted_by)
        select tenant_id, specification_id, period_key, 1, 'free', window_from, window_to, cadence,
          time_zone, 'somebody' from slots where specification_id = $1`,
      [specificationId],
    )
    const granted = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    await driver.advance(tenantId, granted, 'persist')
    const commits = await Promise.all(
      [planned, granted].map(async (id) =>
        conclusionCommit(ports, await driver.load(tenantId, id), workerId),
      ),
    )
    const verdicts = await Promise.all(commits.map((commit) => ports.commitStage(commit)))
    expect(verdicts).toEqual(['committed', 'committed'])
    const sets = await superuser(
      `select current, superseded_by is not null as superseded from artifact_sets
        where tenant_id = $1 order by current`,
      [tenantId],
    )
    expect(sets).toEqual([
      { current: false, superseded: true },
      { current: true, superseded: false },
    ])
  })

  it('without the slot is refused whole', async () => {
    const tenant = await testTenant(db)
    const { tenantId } = tenant
    const id = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenantId)
    await driver.advance(tenantId, id, 'persist')
    await superuser(`update slots set state = 'free', run_id = null where run_id = $1`, [id])
    await expect(driver.succeed(tenantId, id)).rejects.toThrow()
    const rows = await superuser('select state from runs where id = $1', [id])
    expect(rows).toEqual([{ state: 'running' }])
    expect(await superuser('select id from artifacts where run_id = $1', [id])).toEqual([])
  })

  it('of a test run takes no slot and supersedes nothing', async () => {
    const { tenantId, id } = await one()
    expect(await driver.succeed(tenantId, id)).toBe('committed')
    expect(await superuser('select * from slots where run_id = $1', [id])).toEqual([])
    const sets = await superuser('select current from artifact_sets where run_id = $1', [id])
    expect(sets).toEqual([{ current: false }])
  })
})
