import type { RunId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { beforeAll, describe, expect, it } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../../../test/support/postgres.ts'
import { createDriver } from './testing/drive-run.ts'

const { db, superuser } = await testDatabase()
const driver = createDriver(db)
const { deliveries, leases } = driver.operations

const alive = async () => {
  const id = newId('worker')
  await leases.register({ id, host: 'test', pid: 1, version: '0' }, 3_600_000)
  return id
}

async function delivered(count: number) {
  const runIds: RunId[] = []
  for (let i = 0; i < count; i += 1) {
    const tenant = await testTenant(db)
    const id = await queueRun(db, tenant, { period: '2022-W10' })
    await driver.admit(tenant.tenantId)
    await driver.succeed(tenant.tenantId, id)
    runIds.push(id)
  }
  return runIds
}

const stateOf = async (id: string) => {
  const [row] = await superuser(
    'select state, attempts, last_error from deliveries where id = $1',
    [id],
  )
  return row
}

beforeAll(async () => {
  await alive()
})

describe('a delivery', () => {
  it('is claimed by one of many, with what it delivers', async () => {
    const runIds = await delivered(6)
    const workers = [await alive(), await alive(), await alive()]
    const claims = await Promise.all(workers.map((worker) => deliveries.claimDue(worker, 10)))
    const all = claims.flat()
    expect(all.map(({ runId }) => runId).sort()).toEqual([...runIds].sort())
    expect(all[0]).toMatchObject({ deliverer: 'file', attempts: 1, periodKey: '2022-W10' })
    expect(all[0]?.artifacts.map(({ format }) => format)).toEqual(['html', 'json'])
    for (const delivery of all) await deliveries.succeeded(delivery, { path: 'x' })
    expect(await deliveries.claimDue(await alive(), 10)).toEqual([])
  })

  it('that failed is due again at its time, until it is given up', async () => {
    await delivered(1)
    const worker = await alive()
    const [first] = await deliveries.claimDue(worker, 1)
    if (!first) throw new Error('nothing due')
    await deliveries.failed(first, 'no disk', new Date(Date.now() + 3_600_000))
    expect(await deliveries.claimDue(worker, 1)).toEqual([])
    await superuser('update deliveries set next_attempt_at = now() where id = $1', [first.id])
    const [second] = await deliveries.claimDue(worker, 1)
    expect(second).toMatchObject({ id: first.id, attempts: 2 })
    await deliveries.failed(first, 'still no disk', null)
    expect(await stateOf(first.id)).toEqual({
      state: 'failed',
      attempts: 2,
      last_error: 'still no disk',
    })
    await deliveries.succeeded(first, null)
    expect(await stateOf(first.id)).toMatchObject({ state: 'failed' })
  })

  it('claimed by a worker that died is due again', async () => {
    await delivered(1)
    const dying = await alive()
    const [claimed] = await deliveries.claimDue(dying, 1)
    expect(await deliveries.claimDue(await alive(), 1)).toEqual([])
    await leases.leave(dying)
    const [again] = await deliveries.claimDue(await alive(), 1)
    expect(again?.id).toBe(claimed?.id)
    if (again) await deliveries.succeeded(again, null)
  })
})
