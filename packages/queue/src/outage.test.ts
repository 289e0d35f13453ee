import { spawn, type ChildProcess } from 'node:child_process'
import { PostgresConnection } from 'bullmq'
import { Redis } from 'ioredis'
import { isAlmanacError, stageNames } from '@almanac/domain'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findOwnRedis, startRedis } from '../../../test/support/redis.ts'
import { aJob, until } from './conformance.ts'
import { createQueueBackend, type QueueBackendOptions } from './create-queue-backend.ts'
import { migrateQueue } from './postgres-driver.ts'
import type { QueueBackend, TakenJob } from './queue-backend.ts'
import { startOwnPostgres, type OwnPostgres } from '../../../test/support/own-postgres.ts'

/** What the queue does when its server, or another worker, goes away. */

type Options = Omit<QueueBackendOptions, 'onError'>

const opened: QueueBackend[] = []
const holders: ChildProcess[] = []

async function open(options: Options): Promise<QueueBackend> {
  const backend = await createQueueBackend({ ...options, onError: () => undefined })
  opened.push(backend)
  return backend
}

function collect(backend: QueueBackend): TakenJob[] {
  const seen: TakenJob[] = []
  backend.stageWorker('execute', {
    concurrency: 4,
    onError: () => undefined,
    process: (job) => {
      seen.push(job)
      return Promise.resolve({ kind: 'done' })
    },
  })
  return seen
}

const holderScript = `
  import { createQueueBackend } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
  const onError = () => undefined
  const backend = await createQueueBackend({ ...JSON.parse(process.argv[1]), onError })
  backend.stageWorker('execute', {
    concurrency: 4,
    onError,
    process: ({ runId }) => {
      process.stdout.write(runId + '\\n')
      return new Promise(() => undefined)
    },
  })
`

/** A process of its own that takes jobs and sits on them. */
function startHolder(options: Options): { child: ChildProcess; taken: string[] } {
  const script = ['--input-type=module', '--eval', holderScript, JSON.stringify(options)]
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'ignore'] })
  holders.push(child)
  const taken: string[] = []
  child.stdout.on('data', (text: Buffer) => taken.push(...text.toString().trim().split('\n')))
  return { child, taken }
}

afterEach(async () => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL')
  await opened[0]?.clear()
  await Promise.all(opened.splice(0).map((backend) => backend.close()))
})

interface Server {
  options(): Options
  halt(): Promise<void>
  start(): Promise<void>
}

function survives(server: Server): void {
  it('gives the job of a killed process to another, and says so', async () => {
    const { child, taken } = startHolder(server.options())
    const backend = await open(server.options())
    const job = aJob()
    await backend.add([job])
    await until(() => taken.length === 1)
    child.kill('SIGKILL')
    const seen = collect(backend)
    await until(() => seen.length === 1)
    expect(seen).toEqual([{ ...job, redelivered: true }])
  })

  it('gives the job of a frozen process to another; thawed, it goes on with new jobs', async () => {
    const { child, taken } = startHolder(server.options())
    const backend = await open(server.options())
    const job = aJob()
    await backend.add([job])
    await until(() => taken.length === 1)
    child.kill('SIGSTOP')
    const seen = collect(backend)
    await until(() => seen.length === 1)
    expect(seen).toEqual([{ ...job, redelivered: true }])
    child.kill('SIGCONT')
    const more = Array.from({ length: 40 }, () => aJob())
    await until(async () => {
      await backend.add(more.splice(0, 4))
      return taken.length > 1
    })
  })

  it('goes on by itself after its server was away, and fails fast meanwhile', async () => {
    const backend = await open(server.options())
    const seen = collect(backend)
    await backend.add([aJob()])
    await until(() => seen.length === 1)
    await server.halt()
    await expect(backend.ping()).rejects.toMatchObject({ code: 'QUEUE_UNREACHABLE' })
    await expect(backend.add([aJob()])).rejects.toMatchObject({ code: 'QUEUE_UNREACHABLE' })
    await server.start()
    const job = aJob()
    await until(() =>
      backend.add([job]).then(
        () => true,
        (error: unknown) => {
          if (isAlmanacError(error, 'QUEUE_UNREACHABLE')) return false
          throw error
        },
      ),
    )
    await until(() => seen.some(({ runId }) => runId === job.runId))
    await backend.ping()
  })
}

const ownRedis = await findOwnRedis('how the queue survives outages of Redis')

describe.skipIf(!ownRedis)('when Redis is away', () => {
  let server = ownRedis ?? { url: '', port: 0, stop: () => Promise.resolve() }
  const options = (): Options => ({
    redisUrl: server.url,
    databaseUrl: 'postgres://127.0.0.1:1/none',
  })
  afterAll(() => server.stop())

  survives({
    options,
    halt: () => server.stop(),
    start: async () => {
      server = await startRedis({ port: server.port })
    },
  })

  it('loses its jobs to FLUSHALL, says which are missing, and goes on', async () => {
    const backend = await open(options())
    const lost = [aJob(), { ...aJob(), delayMs: 60_000 }]
    await backend.add(lost)
    const client = new Redis(server.url)
    await client.flushall()
    client.disconnect()
    const again = lost.map((job) => ({ ...job, n: 1 }))
    expect(await backend.missing(again)).toEqual(again)
    const seen = collect(backend)
    await backend.add([aJob()])
    await until(() => seen.length === 1)
  })

  it('refuses, at its start, a server that would lose jobs', async () => {
    const client = new Redis(server.url)
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await client.config('SET', 'appendonly', 'no')
    await expect(open({ ...options(), production: true })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      params: {
        issues: [
          { field: 'REDIS_URL', value: 'maxmemory-policy allkeys-lru' },
          { field: 'REDIS_URL', value: 'appendonly no' },
        ],
      },
    })
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    await expect(open(options())).resolves.toMatchObject({ name: 'redis' })
    client.disconnect()
  })
})

describe('when Postgres is away', () => {
  let server: OwnPostgres
  const options = (): Options => ({ databaseUrl: server.url })
  beforeAll(async () => {
    server = await startOwnPostgres()
  })
  afterAll(() => server.stop())

  it('asks for the migration first, which is safe to repeat at once', async () => {
    await expect(open(options())).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' })
    await Promise.all([1, 2, 3].map(() => migrateQueue(options())))
    await expect(open(options())).resolves.toMatchObject({ name: 'postgres' })
  })

  survives({ options, halt: () => server.halt(), start: () => server.start() })

  it('takes five connections with a worker for every stage', async () => {
    const backend = await open(options())
    for (const stage of stageNames)
      backend.stageWorker(stage, {
        concurrency: 8,
        onError: () => undefined,
        process: () => Promise.resolve({ kind: 'done' }),
      })
    await backend.add(stageNames.flatMap((stage) => [aJob({ stage }), aJob({ stage })]))
    const depths = () => Promise.all(stageNames.map((stage) => backend.depth(stage)))
    await until(async () => (await depths()).every(({ waiting, active }) => waiting + active === 0))
    const connection = new PostgresConnection({ connectionString: server.url, max: 1 })
    const { rows } = await connection.pool.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where application_name = 'almanac-queue'`,
    )
    await connection.close()
    expect(rows).toEqual([{ count: 5 }])
  })
})

describe('where nothing answers', () => {
  it('says so, without the password', async () => {
    const databaseUrl = 'postgres://user:secret@127.0.0.1:1/none'
    const refused = { code: 'QUEUE_UNREACHABLE', params: { reason: 'the connection was refused' } }
    await expect(open({ databaseUrl })).rejects.toMatchObject(refused)
    const redisUrl = 'redis://:secret@127.0.0.1:1'
    await expect(open({ redisUrl, databaseUrl })).rejects.toMatchObject(refused)
    await expect(open({ redisUrl, databaseUrl })).rejects.not.toThrow(/secret/)
    await expect(open({ redisUrl: 'http://127.0.0.1', databaseUrl })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
