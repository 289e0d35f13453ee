import {
  connectDatabase,
  createOperations,
  migrate,
  plainCodec,
  prepareStatements,
} from '@almanac/db'
import type { Database } from '@almanac/db'
import { stageNames, type RunId, type StageName, type TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { createDeterministicEngine } from '@almanac/llm'
import { defineStage, type AnyStage, type Conclusion } from '@almanac/pipeline'
import { createQueueBackend, migrateQueue, type QueueBackend } from '@almanac/queue'
import { startWorker } from '@almanac/worker'
import { sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { queueRun, testTenant } from '../support/tenant.ts'

const runs = 1_500
const tenants = 10
const chains = 2_000
/** A process that has just started still compiles its code. */
const warmUp = 500
/** Jobs that are taken from a queue at once; more of them share a commit, and the queue's answers. */
const concurrency = 128
const ignore = () => undefined

/**
 * What the runner costs: runs of ten stages that do nothing, each recorded, through the real worker; and
 * beside it chains of ten bare jobs through the same queue, with nothing recorded. Both in runs/s.
 */
export async function measureNoop({
  databaseUrl,
  redisUrl,
}: {
  databaseUrl: string
  redisUrl?: string
}) {
  await migrate({ url: databaseUrl })
  if (redisUrl === undefined) await migrateQueue({ databaseUrl })
  const db = await connectDatabase({ url: databaseUrl })
  const openQueue = (prefix: string) =>
    createQueueBackend({
      databaseUrl,
      redisUrl,
      prefix,
      onPool: prepareStatements,
      onError: ignore,
    })
  try {
    const bullmqChainRunsPerSecond = await bareChains(await openQueue('chains'))
    const noopRunsPerSecond = await noopRuns(db, await openQueue('noop'))
    return { noopRunsPerSecond, bullmqChainRunsPerSecond }
  } finally {
    await db.close()
  }
}

async function bareChains(backend: QueueBackend): Promise<number> {
  let left = 0
  let done = Promise.withResolvers<undefined>()
  for (const [i, stage] of stageNames.entries())
    backend.stageWorker(stage, {
      concurrency,
      process: async (job) => {
        const next = stageNames[i + 1]
        if (next) await backend.add([{ ...job, stage: next }])
        else if (--left === 0) done.resolve(undefined)
        return { kind: 'done' }
      },
      onError: (cause) => {
        done.reject(cause)
      },
    })
  const tenantId = newId('tenant')
  const [stage = 'retrieve'] = stageNames
  const go = async (count: number): Promise<number> => {
    left = count
    done = Promise.withResolvers<undefined>()
    const started = performance.now()
    const first = () => ({ tenantId, runId: newId('run'), stage, epoch: 1, n: 0 })
    await backend.add(Array.from({ length: count }, first))
    await done.promise
    return (performance.now() - started) / 1_000
  }
  await go(warmUp)
  const seconds = await go(chains)
  await backend.close()
  return chains / seconds
}

/** From the start of the first run to the end of the last, by the instants that the database keeps. */
async function noopRuns(db: Database, backend: QueueBackend): Promise<number> {
  const ports = createRunnerPorts({ db, codec: plainCodec }, createDeterministicEngine())
  const hashes = new Map<TenantId, string>()
  const go = async (count: number): Promise<number> => {
    const ids: RunId[] = []
    for (let t = 0; t < tenants; t += 1) {
      const tenant = await testTenant(db)
      const [hash = ''] = await ports.content.put(tenant.tenantId, ['{}'])
      hashes.set(tenant.tenantId, hash)
      for (let n = 0; n < count / tenants; n += 1)
        ids.push(await queueRun(db, tenant, { test: true, fresh: true }))
    }
    const worker = await startWorker({
      ports,
      operations: createOperations(db),
      backend,
      deliverers: {},
      log: { info: ignore, warn: ignore, error: ignore },
      version: 'bench',
      onLost: () => process.exit(1),
      limits: { retrieve: concurrency },
      stages: noopStages((tenantId) => hashes.get(tenantId) ?? ''),
    })
    try {
      return await secondsOf(db, ids)
    } finally {
      await worker.stop(5_000)
    }
  }
  try {
    await go(warmUp)
    return runs / (await go(runs))
  } finally {
    await backend.close()
  }
}

async function secondsOf(db: Database, ids: readonly RunId[]): Promise<number> {
  for (;;) {
    const [row] = await db.querySystem(
      'admission',
      sql<{ ended: number; seconds: number }>`select count(*)::int as ended,
        extract(epoch from max(finished_at) - min(started_at))::float8 as seconds
        from runs where state = 'succeeded' and id = any (${ids})`,
    )
    if (row?.ended === ids.length) return row.seconds
    // Seldom: looking at so many runs takes from what they are measured by.
    await sleep(1_000)
  }
}

/** The ten stages by name and role; all that they do is give an output. */
function noopStages(contentHash: (tenantId: TenantId) => string): AnyStage[] {
  const stage = (name: StageName): AnyStage =>
    defineStage({
      name,
      tries: 3,
      timeoutMs: 60_000,
      input: {},
      output: z.unknown(),
      run: ({ run }, _ports: object) =>
        Promise.resolve(name === 'persist' ? concludedWith(contentHash(run.tenantId)) : null),
    })
  return stageNames.map((name) => {
    if (name === 'persist')
      return { ...stage(name), role: 'conclude', conclusion: (output: Conclusion) => output }
    return name === 'deliver' ? { ...stage(name), role: 'aftermath' } : stage(name)
  })
}

const concludedWith = (contentHash: string): Conclusion => ({
  documentId: newId('document'),
  version: {
    id: newId('version'),
    label: '1',
    contentHash,
    packageHash: contentHash,
    score: 1,
    evaluation: '{}',
  },
  artifacts: [],
  deliveries: [],
})
