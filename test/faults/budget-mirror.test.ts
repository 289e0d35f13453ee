import { createPorts } from '@almanac/db'
import type { BudgetLedger, Hold, HoldRequest } from '@almanac/pipeline'
import { createBudgetMirror, type BudgetMirror } from '@almanac/queue'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createDriver } from '../../packages/db/src/testing/drive-run.ts'
import { testDatabase } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'
import { createScene, dayKey, estimate, mirroredHeld, noted, room } from './mirror-scene.ts'
import { ready, startDoor, startServer, until } from './mirror-servers.ts'

/**
 * Redis mirrors what Postgres grants. Whatever becomes of the mirror (wiped, put back from an old snapshot,
 * failed over to a replica that was behind), exactly as many calls are let in as there is room for. Here
 * one process asks; mirror-processes.test.ts has three.
 */
const { db } = await testDatabase()
const driver = createDriver(db)
const { workerId } = driver
const installed = await findOwnRedis('what becomes of the budgets’ mirror')
afterAll(() => installed?.stop())
beforeAll(() =>
  driver.operations.leases.register(
    { id: workerId, host: 'test', pid: 1, version: '0' },
    3_600_000,
  ),
)

describe.runIf(installed)('200 reserves at once, with room for 33', () => {
  it('are let in exactly 33 times by one process', async () => {
    const { requests, open } = await scene()
    const server = await startServer()
    const { ledger } = open(server.url)
    expect(granted(await askAll(ledger, requests))).toBe(room)
  })

  it('are let in exactly 33 times right after FLUSHALL, and the mirror fills by itself', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    const held = await fill(ledger)
    await noted(db, client)
    await giveBack(ledger, held)
    await client.flushall()
    expect(granted(await askAll(ledger, requests))).toBe(room)
    await noted(db, client)
    expect(await mirroredHeld(client)).toBe(room * estimate)
  })

  it('are let in exactly 33 times over a snapshot that says that nothing is left', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    const held = await fill(ledger)
    await noted(db, client)
    await client.save()
    await server.keepSnapshot()
    await giveBack(ledger, held)
    await noted(db, client)
    await server.restoreSnapshot()
    await ready(client)
    expect(await mirroredHeld(client)).toBe(room * estimate)
    expect(granted(await askAll(ledger, requests))).toBe(room)
  })

  it('are let in exactly 33 times over a snapshot that says that all is left', async () => {
    const { requests, open, fill } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    await client.save()
    await server.keepSnapshot()
    await fill(ledger)
    await noted(db, client)
    await server.restoreSnapshot()
    await ready(client)
    expect(granted(await askAll(ledger, requests))).toBe(0)
  })

  it('are let in exactly 33 times over a replica that was behind when it was promoted', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const [first, second] = [await startServer(), await startServer()]
    const door = await startDoor(first.port)
    const { ledger, client } = open(`redis://127.0.0.1:${door.port}`)
    const held = await fill(ledger)
    await noted(db, client)
    const replica = new Redis(second.port, '127.0.0.1')
    onTestFinished(() => replica.disconnect())
    await replica.replicaof('127.0.0.1', first.port)
    await until(async () => (await replica.keys('*')).length > 0)
    // From here on the replica hears of nothing.
    await replica.replicaof('NO', 'ONE')
    await giveBack(ledger, held)
    await noted(db, client)
    door.lead(second.port)
    await first.stop()
    await ready(client)
    expect(await mirroredHeld(client)).toBe(room * estimate)
    expect(granted(await askAll(ledger, requests))).toBe(room)
  })

  it('are all answered by Postgres while there is no Redis', async () => {
    const { requests, open } = await scene()
    const server = await startServer()
    const { ledger } = open(server.url)
    await server.stop()
    expect(granted(await askAll(ledger, requests))).toBe(room)
  })
})

describe.runIf(installed)('the mirror', () => {
  it('refuses early what Postgres has just refused, and says the same', async () => {
    const { requests, open, fill } = await scene()
    const server = await startServer()
    const { ledger, client, early } = open(server.url, () => 0)
    await fill(ledger)
    await noted(db, client)
    const [one, two] = requests
    if (!one || !two) throw new Error('no requests')
    const first = await ledger.hold(one)
    expect(early()).toBe(0)
    expect(await ledger.hold(two)).toEqual(first)
    expect(early()).toBe(1)
    expect(first).toEqual({
      state: 'refused',
      level: 'tenant/day',
      unit: 'micro-USD',
      needed: estimate,
      left: 4_999,
      because: 'limit',
    })
  })

  it('lets through what needs less than is left', async () => {
    const { requests, open, fill } = await scene()
    const server = await startServer()
    const { ledger, client, early } = open(server.url, () => 0)
    await fill(ledger)
    await noted(db, client)
    const [one, two] = requests
    if (!one || !two) throw new Error('no requests')
    await ledger.hold(one)
    const small = { ...two, estimate: { microUsd: 4_999, tokens: 1 } }
    expect(await ledger.hold(small)).toMatchObject({ state: 'granted' })
    expect(early()).toBe(0)
  })

  it('asks Postgres again when another process has given money back', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const server = await startServer()
    const here = open(server.url, () => 0)
    const there = open(server.url)
    const held = await fill(here.ledger)
    await noted(db, here.client)
    const [one, two] = requests
    if (!one || !two) throw new Error('no requests')
    expect(await here.ledger.hold(one)).toMatchObject({ state: 'refused' })
    const before = await version(here.client)
    await giveBack(there.ledger, held.slice(0, 1))
    await until(async () => (await version(here.client)) > before)
    expect(await here.ledger.hold(two)).toMatchObject({ state: 'granted' })
  })

  it('gives a call that was answered its answer, though there is no money', async () => {
    const { requests, open, fill } = await scene()
    const server = await startServer()
    const { ledger, client, early } = open(server.url, () => 0)
    const [answered = undefined] = await fill(ledger)
    if (!answered) throw new Error('nothing was held')
    const usage = { inputTokens: 9, cachedInputTokens: 0, outputTokens: 0, estimated: false }
    const served = { model: 'test-1', tier: 'standard' }
    await ledger.settle(
      { run: answered.run, callKey: answered.callKey, seq: 1 },
      {
        costMicroUsd: estimate,
        usage,
        outcome: 'completed',
        served,
        requestId: 'q',
        outputHash: 'x',
      },
    )
    await noted(db, client)
    const [one] = requests
    if (!one) throw new Error('no requests')
    expect(await ledger.hold(one)).toMatchObject({ state: 'refused' })
    expect(await ledger.hold(answered)).toEqual({ state: 'settled', seq: 1, outputHash: 'x' })
    expect(early()).toBe(1)
  })

  it('never goes back to an older version', async () => {
    const { open, fill, giveBack } = await scene()
    const server = await startServer()
    const { ledger, client, mirror } = open(server.url)
    const held = await fill(ledger)
    await giveBack(ledger, held)
    await noted(db, client)
    const key = await dayKey(client)
    const before = await client.hgetall(key)
    const [, tenantId = '', level = '', subject = '', period = ''] =
      /\{budget-(.+?)\}:(\w+):(\w+):(.*)$/.exec(key) ?? []
    const old = { version: 1, heldMicroUsd: 9, spentMicroUsd: 9, heldTokens: 9, spentTokens: 9 }
    mirror.listener.changed([
      { ...old, tenantId: tenantId as HoldRequest['run']['tenantId'], level, subject, period },
    ])
    // Both go in one batch: the first is done when the second is there.
    mirror.listener.changed([
      { ...old, tenantId: null, level: 'provider_day', subject: 'z', period: 'z' },
    ])
    await until(async () => (await client.keys('*:z:z')).length > 0)
    expect(await client.hgetall(key)).toEqual(before)
  })
})

async function scene() {
  const { requests, fillers } = await createScene(db, driver)
  return {
    requests,
    open: openLedger,
    fill: async (ledger: BudgetLedger) => {
      expect(granted(await askAll(ledger, fillers))).toBe(room)
      return fillers
    },
    giveBack: (ledger: BudgetLedger, held: HoldRequest[]) =>
      Promise.all(
        held.map(({ run }) => ledger.release({ run, callKey: 'draft:1', seq: 1 }, 'test')),
      ),
  }
}

/** A ledger with its mirror, as a process has it, and a look at the mirror's server. */
function openLedger(
  redisUrl: string,
  now?: () => number,
): {
  ledger: BudgetLedger
  mirror: BudgetMirror
  client: Redis
  early: () => number
} {
  const mirror = createBudgetMirror({
    redisUrl,
    onError: () => undefined,
    ...(now ? { now } : {}),
  })
  const client = new Redis(redisUrl, { retryStrategy: () => 50 })
  client.on('error', () => undefined)
  onTestFinished(async () => {
    await mirror.close()
    client.disconnect()
  })
  const { ledger } = createPorts(db, { budgets: mirror.listener })
  let early = 0
  const counted: BudgetLedger = {
    ...ledger,
    hold: (request) => {
      if (request.refusal) early += 1
      return ledger.hold(request)
    },
  }
  return { ledger: mirror.guard(counted), mirror, client, early: () => early }
}

const askAll = (ledger: BudgetLedger, requests: HoldRequest[]): Promise<Hold[]> =>
  Promise.all(requests.map((request) => ledger.hold(request)))

const granted = (holds: Hold[]): number => holds.filter(({ state }) => state === 'granted').length

const version = async (client: Redis) => Number(await client.hget(await dayKey(client), 'version'))
