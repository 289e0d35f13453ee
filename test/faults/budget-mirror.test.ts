import { createPorts, setBudgetLimit } from '@almanac/db'
import type { RunId } from '@almanac/domain'
import type { BudgetLedger, Hold, HoldRequest } from '@almanac/pipeline'
import { createBudgetMirror, type BudgetMirror } from '@almanac/queue'
import { createDriver } from '../../packages/db/src/testing/drive-run.ts'
import { holdRequest } from '../../packages/db/src/testing/paid-call.ts'
import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { queueRun, testDatabase, testTenant } from '../support/postgres.ts'
import { findOwnRedis } from '../support/redis.ts'

/**
 * Redis mirrors what Postgres grants. Whatever becomes of the mirror (wiped, put back from an old snapshot,
 * failed over to a replica that was behind), exactly as many calls are let in as there is room for.
 */
const estimate = 5_000
const room = 33

const { db, url } = await testDatabase()
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

  it('are let in exactly 33 times by three processes', async () => {
    const { requests } = await scene()
    const server = await startServer()
    const parts = [0, 1, 2].map((part) => requests.filter((_, i) => i % 3 === part))
    const counts = await Promise.all(parts.map((part) => reserveInProcess(server.url, part)))
    expect(counts.reduce((sum, count) => sum + count.granted, 0)).toBe(room)
    expect(counts.reduce((sum, count) => sum + count.refused, 0)).toBe(requests.length - room)
  })

  it('are let in exactly 33 times right after FLUSHALL, and the mirror fills by itself', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    const held = await fill(ledger)
    await noted(client)
    await giveBack(ledger, held)
    await client.flushall()
    expect(granted(await askAll(ledger, requests))).toBe(room)
    await noted(client)
    expect(Number(await client.hget(await dayKey(client), 'heldMicroUsd'))).toBe(room * estimate)
  })

  it('are let in exactly 33 times over a snapshot that says that nothing is left', async () => {
    const { requests, open, fill, giveBack } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    const held = await fill(ledger)
    await noted(client)
    await client.save()
    await server.keepSnapshot()
    await giveBack(ledger, held)
    await noted(client)
    await server.restoreSnapshot()
    await ready(client)
    expect(Number(await client.hget(await dayKey(client), 'heldMicroUsd'))).toBe(room * estimate)
    expect(granted(await askAll(ledger, requests))).toBe(room)
  })

  it('are let in exactly 33 times over a snapshot that says that all is left', async () => {
    const { requests, open, fill } = await scene()
    const server = await startServer()
    const { ledger, client } = open(server.url)
    await client.save()
    await server.keepSnapshot()
    await fill(ledger)
    await noted(client)
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
    await noted(client)
    const replica = new Redis(second.port, '127.0.0.1')
    onTestFinished(() => replica.disconnect())
    await replica.replicaof('127.0.0.1', first.port)
    await until(async () => (await replica.keys('*')).length > 0)
    // From here on the replica hears of nothing.
    await replica.replicaof('NO', 'ONE')
    await giveBack(ledger, held)
    await noted(client)
    door.lead(second.port)
    await first.stop()
    await ready(client)
    expect(Number(await client.hget(await dayKey(client), 'heldMicroUsd'))).toBe(room * estimate)
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
    await noted(client)
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
    await noted(client)
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
    await noted(here.client)
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
    await noted(client)
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
    await noted(client)
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

/** A tenant whose day has room for 33 calls, with 200 runs that ask and others that fill the room. */
async function scene() {
  const tenant = await testTenant(db)
  const all: HoldRequest[] = []
  const ids: RunId[] = []
  for (let n = 0; n < 200 + room; n += 1) ids.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenant.tenantId, ids.length)
  for (const id of ids) all.push(holdRequest(await driver.load(tenant.tenantId, id), workerId))
  const [requests, fillers] = [all.slice(0, 200), all.slice(200)]
  await setBudgetLimit(db, tenant.tenantId, 'operator', {
    level: 'tenant/day',
    microUsd: 500_000,
    tokens: null,
  })
  // A limit below what one run may need is refused; this test's runs need very little.
  await db.withSystem('ledger', (trx) =>
    trx
      .updateTable('budgets')
      .set({ limit_micro_usd: room * estimate + 4_999 })
      .where('tenant_id', '=', tenant.tenantId)
      .where('level', '=', 'tenant_day')
      .execute(),
  )
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

async function dayKey(client: Redis): Promise<string> {
  const [key] = await client.keys('*:tenant_day:*')
  if (key === undefined) throw new Error('the day is not noted')
  return key
}

const version = async (client: Redis) => Number(await client.hget(await dayKey(client), 'version'))

/** Until the mirror holds what Postgres has. */
async function noted(client: Redis): Promise<void> {
  await until(async () => {
    const [key] = await client.keys('*:tenant_day:*')
    if (key === undefined) return false
    const subject = /:tenant_day:(\w+):/.exec(key)?.[1] ?? ''
    const row = await db.withSystem('ledger', (trx) =>
      trx
        .selectFrom('budgets')
        .select('version')
        .where('level', '=', 'tenant_day')
        .where('subject', '=', subject)
        .orderBy('version', 'desc')
        .executeTakeFirst(),
    )
    return Number(await client.hget(key, 'version')) === row?.version
  })
}

const ready = (client: Redis) =>
  until(() =>
    client.ping().then(
      () => true,
      () => false,
    ),
  )

async function until(done: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 2_000; n += 1) {
    if (await done()) return
    await sleep(5)
  }
  throw new Error('it did not come to pass')
}

/** A Redis without append-only file, whose snapshot can be put back under it. */
async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-mirror-'))
  const port = await freePort()
  const [dump, kept] = [join(folder, 'dump.rdb'), join(folder, 'kept.rdb')]
  let stop = await startRedis(port, folder)
  onTestFinished(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop: () => stop(),
    keepSnapshot: () => copyFile(dump, kept),
    restoreSnapshot: async () => {
      await stop()
      await copyFile(kept, dump)
      stop = await startRedis(port, folder)
    },
  }
}

async function startRedis(port: number, dir: string): Promise<() => Promise<void>> {
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no' }
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve) => {
    server.stdout.on('data', (text: Buffer) => {
      if (text.toString().includes('Ready to accept connections')) resolve()
    })
  })
  return async () => {
    server.kill('SIGKILL')
    await ended
  }
}

/** A door that leads to one server and then to another, as the address of a fail-over does. */
async function startDoor(target: number) {
  let port = target
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    lead: (to: number) => {
      port = to
      for (const socket of open) socket.destroy()
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function reserveInProcess(redisUrl: string, requests: HoldRequest[]) {
  const file = join(import.meta.dirname, '../support/reserve-process.ts')
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify({ url, redisUrl, requests }))
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code).toBe(0)
  return JSON.parse(said) as { granted: number; refused: number }
}
