import { newId } from '@almanac/domain/ids'
import { describe, expect, it, vi } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { createLeadership } from './leadership.ts'
import { listOperatorActs } from './operators/operator-acts.ts'
import { createOperations } from './ports.ts'
import { changeStageControl, listStageControls, type StageControlChange } from './stage-controls.ts'
import { createDriver } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const { leases, leadership, controls, admission } = createOperations(db)
const driver = createDriver(db)

const worker = () => ({ id: newId('worker'), host: 'test', pid: 1, version: '0' })

describe('a lease', () => {
  it('is renewed while it lasts, and never after', async () => {
    const it = worker()
    await leases.register(it, 60_000)
    expect(await leases.renew(it.id, 60_000)).toBe(true)
    await superuser('update workers set alive_until = now() where id = $1', [it.id])
    expect(await leases.renew(it.id, 60_000)).toBe(false)
    expect(await leases.renew(it.id, 60_000)).toBe(false)
  })

  it('ends when the worker leaves', async () => {
    const it = worker()
    await leases.register(it, 60_000)
    await leases.leave(it.id)
    expect(await leases.renew(it.id, 60_000)).toBe(false)
  })
})

describe('leadership', () => {
  it('of a loop has one, of another loop another', async () => {
    const other = createOperations(db).leadership
    const mine = await leadership.lead('tick')
    expect(mine).toBeDefined()
    expect(await leadership.lead('tick')).toBeUndefined()
    expect(await other.lead('tick')).toBeUndefined()
    const sweep = await other.lead('sweep')
    expect(sweep).toBeDefined()
    await mine?.release()
    const next = await other.lead('tick')
    expect(next).toBeDefined()
    await next?.release()
    await sweep?.release()
  })

  it('asked for by many at once goes to one', async () => {
    const all = await Promise.all(
      Array.from({ length: 5 }, () => createOperations(db).leadership.lead('chain')),
    )
    const won = all.filter((leader) => leader !== undefined)
    expect(won).toHaveLength(1)
    await won[0]?.release()
  })

  it('is lost with its connection, and can be won again', async () => {
    const leader = await leadership.lead('deliver')
    const lost = new Promise((resolve) => leader?.lost.addEventListener('abort', resolve))
    await superuser(`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and objid = hashtext('deliver')::oid`)
    await lost
    await leader?.release()
    // The server gives the lock back a moment after the client has learnt of its loss.
    const again = await vi.waitFor(async () => {
      const won = await leadership.lead('deliver')
      if (!won) throw new Error('not yet')
      return won
    })
    expect(again.lost.aborted).toBe(false)
    await again.release()
  })

  it('is taken from a process that falls silent, as a frozen one does', async () => {
    const silent = createLeadership(db, { silenceMs: 200, beatMs: 3_600_000 })
    const heard = createLeadership(db, { silenceMs: 200, beatMs: 50 })
    const kept = await heard.lead('batch')
    const leader = await silent.lead('tick')
    await new Promise((resolve) => leader?.lost.addEventListener('abort', resolve))
    const next = await vi.waitFor(async () => {
      const won = await leadership.lead('tick')
      if (!won) throw new Error('not yet')
      return won
    })
    await next.release()
    expect(kept?.lost.aborted).toBe(false)
    await kept?.release()
  })
})

describe('stage controls', () => {
  it('are what was written last', async () => {
    expect(await controls.read()).toEqual([])
    const change = (to: StageControlChange, reason: string) =>
      db.withSystem('operators', (trx) =>
        changeStageControl(trx, 'execute', to, { by: 'me', reason }),
      )
    await change({ paused: true }, 'costs')
    await change({ concurrency: 3 }, 'fewer')
    expect(await controls.read()).toEqual([{ stage: 'execute', paused: true, concurrency: 3 }])
    await change({ paused: false }, 'better')
    expect(await controls.read()).toEqual([{ stage: 'execute', paused: false, concurrency: 3 }])
    await change({ concurrency: null }, 'all of them')
    expect(await db.withSystem('operators', listStageControls)).toMatchObject([
      {
        ...{ stage: 'execute', paused: false, concurrency: null },
        ...{ reason: 'all of them', changedBy: 'me' },
      },
    ])
    const { data: acts } = await listOperatorActs(db, { limit: 10 })
    expect(acts.map(({ action, subject, detail }) => [action, subject, detail['reason']])).toEqual(
      ['all of them', 'better', 'fewer', 'costs'].map((why) => [
        'stage.controlled',
        'execute',
        why,
      ]),
    )
  })
})

describe('admission', () => {
  it('sees who waits, and moves the oldest of each tenant', async () => {
    const [a, b] = [await testTenant(db), await testTenant(db)]
    const [a1] = [await queueRun(db, a, { test: true }), await queueRun(db, a, { test: true })]
    const b1 = await queueRun(db, b, { test: true })
    const before = await admission.backlog()
    expect(before.tenants).toEqual(
      [
        { tenantId: a.tenantId, queued: 2, inFlight: 0, cap: 200 },
        { tenantId: b.tenantId, queued: 1, inFlight: 0, cap: 200 },
      ].sort((x, y) => (x.tenantId < y.tenantId ? -1 : 1)),
    )
    const jobs = await admission.admit(
      new Map([
        [a.tenantId, 1],
        [b.tenantId, 5],
      ]),
    )
    expect(jobs.map(({ runId }) => runId).sort()).toEqual([a1, b1].sort())
    expect(jobs[0]).toMatchObject({ stage: 'retrieve', epoch: 1, n: 0 })
    const after = await admission.backlog()
    expect(after).toEqual({
      inFlight: 2,
      tenants: [{ tenantId: a.tenantId, queued: 1, inFlight: 1, cap: 200 }],
    })
  })

  it('says how many are in flight when nobody waits', async () => {
    const tenant = await testTenant(db)
    await queueRun(db, tenant, { test: true })
    const { tenants } = await admission.backlog()
    await admission.admit(new Map(tenants.map(({ tenantId, queued }) => [tenantId, queued])))
    const { inFlight, tenants: none } = await admission.backlog()
    expect(none).toEqual([])
    expect(inFlight).toBeGreaterThan(0)
  })

  it('admits a run once, whoever asks', async () => {
    const tenant = await testTenant(db)
    for (let i = 0; i < 20; i += 1) await queueRun(db, tenant, { test: true })
    const jobs = await Promise.all(
      Array.from({ length: 5 }, () => driver.admit(tenant.tenantId, 8)),
    )
    const ids = jobs.flat().map(({ runId }) => runId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(20)
  })
})
