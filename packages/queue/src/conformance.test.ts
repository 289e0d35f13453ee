import { randomBytes } from 'node:crypto'
import { PostgresConnection } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findRedis } from '../../../test/support/redis.ts'
import { conformance } from './conformance.ts'
import { createQueueBackend, type QueueBackendOptions } from './create-queue-backend.ts'
import { migrateQueue } from './postgres-driver.ts'
import type { QueueBackend } from './queue-backend.ts'
import { emptyDatabase } from '../../../test/support/postgres.ts'

const noDatabase = 'postgres://nobody@127.0.0.1:1/none'

const opened: QueueBackend[] = []
const errors: unknown[] = []

async function open(options: Omit<QueueBackendOptions, 'onError'>): Promise<QueueBackend> {
  const backend = await createQueueBackend({ ...options, onError: (error) => errors.push(error) })
  opened.push(backend)
  return backend
}

async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((backend) => backend.close()))
  expect(errors.splice(0)).toEqual([])
}

const redis = await findRedis('the conformance of the queue on Redis')

describe.skipIf(!redis)('the queue on Redis', () => {
  const redisUrl = redis?.url ?? ''
  const client = new Redis(redisUrl, { lazyConnect: true })
  afterEach(closeAll)
  afterAll(async () => {
    client.disconnect()
    await redis?.stop()
  })
  for (const [name, check] of Object.entries(conformance))
    it(name, async () => {
      const prefix = `test-${randomBytes(4).toString('hex')}`
      await check({
        errors,
        open: () => open({ redisUrl, databaseUrl: noDatabase, prefix }),
        stored: async (id) =>
          JSON.parse((await client.hget(`{${prefix}-execute}:execute:${id}`, 'data')) ?? 'null'),
      })
      const keys = await client.keys(`*${prefix}*`)
      if (keys.length > 0) await client.del(keys)
    })
})

const databaseUrl = await emptyDatabase()

describe('the queue on Postgres', () => {
  const connection = new PostgresConnection({ connectionString: databaseUrl, max: 1 })
  beforeAll(() => migrateQueue({ databaseUrl }))
  afterEach(async () => {
    await closeAll()
    await connection.pool.query('delete from job')
  })
  afterAll(() => connection.close())
  for (const [name, check] of Object.entries(conformance))
    it(name, () =>
      check({
        errors,
        open: () => open({ databaseUrl }),
        stored: async (id) => {
          const { rows } = await connection.pool.query<{ data: unknown }>(
            'select data from job where queue = $1 and id = $2',
            ['execute', id],
          )
          return rows[0]?.data
        },
      }),
    )
})
