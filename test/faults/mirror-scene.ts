import { setBudgetLimit, type Database } from '@almanac/db'
import type { RunId } from '@almanac/domain'
import type { HoldRequest } from '@almanac/pipeline'
import type { Redis } from 'ioredis'
import type { Driver } from '../../packages/db/src/testing/drive-run.ts'
import { holdRequest } from '../../packages/db/src/testing/paid-call.ts'
import { queueRun, testTenant } from '../support/postgres.ts'
import { until } from './mirror-servers.ts'

/** What every call of a scene needs, and for how many of them there is room. */
export const estimate = 5_000
export const room = 33

/** A tenant whose day has room for 33 calls. */
export interface Scene {
  /** 200 calls that ask at once. */
  requests: HoldRequest[]
  /** 33 others, which fill the room. */
  fillers: HoldRequest[]
  /** 3 more, for which there is no room when it is full. */
  late: HoldRequest[]
}

export async function createScene(db: Database, driver: Driver): Promise<Scene> {
  const tenant = await testTenant(db)
  const all: HoldRequest[] = []
  const ids: RunId[] = []
  for (let n = 0; n < 203 + room; n += 1) ids.push(await queueRun(db, tenant, { test: true }))
  await driver.admit(tenant.tenantId, ids.length)
  for (const id of ids)
    all.push(holdRequest(await driver.load(tenant.tenantId, id), driver.workerId))
  await setBudgetLimit(db, tenant.tenantId, 'operator', {
    level: 'tenant/day',
    microUsd: 500_000,
    tokens: null,
  })
  // A limit below what one run may need is refused; this scene's runs need very little.
  await db.withSystem('ledger', (trx) =>
    trx
      .updateTable('budgets')
      .set({ limit_micro_usd: room * estimate + 4_999 })
      .where('tenant_id', '=', tenant.tenantId)
      .where('level', '=', 'tenant_day')
      .execute(),
  )
  return { requests: all.slice(0, 200), fillers: all.slice(203), late: all.slice(200, 203) }
}

/** The mirror's key of the scene's day. */
export async function dayKey(client: Redis): Promise<string> {
  const [key] = await client.keys('*:tenant_day:*')
  if (key === undefined) throw new Error('the day is not noted')
  return key
}

/** What the mirror says is held of the scene's day. */
export const mirroredHeld = async (client: Redis): Promise<number> =>
  Number(await client.hget(await dayKey(client), 'heldMicroUsd'))

/** Until the mirror holds what Postgres has. */
export async function noted(db: Database, client: Redis): Promise<void> {
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
