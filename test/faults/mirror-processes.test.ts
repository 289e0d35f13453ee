import { createPorts } from '@almanac/db'
import { createBudgetMirror } from '@almanac/queue'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createDriver } from '../../packages/db/src/testing/drive-run.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import { startReservers } from '../support/reservers.ts'
import { createScene, estimate, mirroredHeld, noted, room } from './mirror-scene.ts'
import { ready, startDoor, startServer, until } from './mirror-servers.ts'

/**
 * Three processes reserve at once while their mirror is wiped, put back from an old snapshot, or failed
 * over. Each was refused before, and remembers it for ever; the money is given back by a fourth one, and
 * they would have to hear of it from the mirror that is no more.
 */
const { db, url } = await testDatabase()
const driver = createDriver(db)
const installed = await findOwnRedis('what becomes of the budgets’ mirror in three processes')
afterAll(() => installed?.stop())
beforeAll(() =>
  driver.operations.leases.register(
    { id: driver.workerId, host: 'test', pid: 1, version: '0' },
    3_600_000,
  ),
)
const processes = 3

async function open(redisUrl: string) {
  const scene = await createScene(db, driver)
  const reservers = startReservers(processes, { url, redisUrl, isTimeless: true })
  const mirror = createBudgetMirror({ redisUrl, onError: () => undefined })
  onTestFinished(() => mirror.close())
  const { ledger } = createPorts(db, { budgets: mirror.listener })
  const client = new Redis(redisUrl, { retryStrategy: () => 50 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  /** Until every process’s mirror is connected (again). */
  const connected = () =>
    until(async () => {
      const list = String(await client.client('LIST').catch(() => ''))
      return list.split('name=almanac-budgets').length - 1 === processes + 1
    })
  return { ...scene, reservers, ledger, client, connected }
}

type Opened = Awaited<ReturnType<typeof open>>

/** All that there is room for is taken, and every process has been told so. */
async function fill({ reservers, client, fillers, late }: Opened): Promise<void> {
  expect(await reservers.hold(fillers)).toEqual({ granted: room, refused: 0 })
  expect(await reservers.hold(late)).toEqual({ granted: 0, refused: late.length })
  await noted(db, client)
}

async function giveBack({ ledger, client, fillers }: Opened): Promise<void> {
  const all = fillers.map(({ run, callKey }) => ({ run, callKey, seq: 1 }))
  await Promise.all(all.map((call) => ledger.release(call, 'test')))
  await noted(db, client)
}

const exactly33 = async ({ reservers, requests }: Opened): Promise<void> =>
  expect(await reservers.hold(requests)).toEqual({ granted: room, refused: requests.length - room })

describe.runIf(installed)('200 reserves of three processes at once, with room for 33', () => {
  it('are let in exactly 33 times', async () => {
    const server = await startServer()
    const opened = await open(server.url)
    await exactly33(opened)
    await noted(db, opened.client)
    expect(await mirroredHeld(opened.client)).toBe(room * estimate)
  })

  it('are let in exactly 33 times when a fourth one has given the money back', async () => {
    const server = await startServer()
    const opened = await open(server.url)
    await fill(opened)
    await giveBack(opened)
    await exactly33(opened)
  })

  it('are let in exactly 33 times right after FLUSHALL, and the mirror fills by itself', async () => {
    const server = await startServer()
    const opened = await open(server.url)
    await fill(opened)
    await giveBack(opened)
    await opened.client.flushall()
    await exactly33(opened)
    await noted(db, opened.client)
    expect(await mirroredHeld(opened.client)).toBe(room * estimate)
  })

  it('are let in exactly 33 times over a snapshot that says that nothing is left', async () => {
    const server = await startServer()
    const opened = await open(server.url)
    await fill(opened)
    await opened.client.save()
    await server.keepSnapshot()
    await giveBack(opened)
    await server.restoreSnapshot()
    await opened.connected()
    expect(await mirroredHeld(opened.client)).toBe(room * estimate)
    await exactly33(opened)
  })

  it('are not let in once more over a snapshot that says that all is left', async () => {
    const server = await startServer()
    const opened = await open(server.url)
    await opened.client.save()
    await server.keepSnapshot()
    await fill(opened)
    await server.restoreSnapshot()
    await opened.connected()
    expect(await opened.reservers.hold(opened.requests)).toEqual({ granted: 0, refused: 200 })
  })

  it('are let in exactly 33 times over a replica that was behind when it was promoted', async () => {
    const [first, second] = [await startServer(), await startServer()]
    const door = await startDoor(first.port)
    const opened = await open(`redis://127.0.0.1:${door.port}`)
    await fill(opened)
    const replica = new Redis(second.port, '127.0.0.1')
    onTestFinished(() => replica.disconnect())
    await replica.replicaof('127.0.0.1', first.port)
    await until(async () => (await replica.keys('*')).length > 0)
    // From here on the replica hears of nothing.
    await replica.replicaof('NO', 'ONE')
    await giveBack(opened)
    door.lead(second.port)
    await first.stop()
    await ready(opened.client)
    await opened.connected()
    expect(await mirroredHeld(opened.client)).toBe(room * estimate)
    await exactly33(opened)
  })
})
