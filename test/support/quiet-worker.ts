import { createOperations, type Database } from '@almanac/db'
import { isTerminal, type RunId, type RunState } from '@almanac/domain'
import { createQueueBackend, migrateQueue, type QueueBackend } from '@almanac/queue'
import { startWorker, type RunningWorker } from '@almanac/worker'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from './postgres.ts'

export interface QuietWorkerOptions {
  url: string
  db: Database
  ports: Parameters<typeof startWorker>[0]['ports']
  variantTimeoutMs?: number
  /** What stands between the worker and its queue. */
  through?: (backend: QueueBackend) => QueueBackend
}

/** Starts a worker with its loops on a queue in Postgres; it logs nothing and delivers nowhere. */
export async function startQuietWorker({
  url,
  db,
  through = (backend) => backend,
  ...options
}: QuietWorkerOptions): Promise<{ worker: RunningWorker; close(): Promise<void> }> {
  const nothing = () => undefined
  await migrateQueue({ databaseUrl: url })
  const backend = await createQueueBackend({ databaseUrl: url, onError: nothing })
  const worker = await startWorker({
    ...options,
    operations: createOperations(db),
    backend: through(backend),
    deliverers: { file: { deliver: () => Promise.resolve({}) } },
    log: { info: nothing, warn: nothing, error: nothing },
    version: '0.0.0',
    onLost: nothing,
  })
  return {
    worker,
    close: async () => {
      await worker.stop(5_000)
      await backend.close()
    },
  }
}

/** How a run ended, as soon as it has. */
export async function untilEnded(
  superuser: TestDatabase['superuser'],
  runId: RunId,
): Promise<{ state: RunState; error_code: string | null; score: number | null }> {
  for (;;) {
    const [run] = await superuser<{
      state: RunState
      error_code: string | null
      score: number | null
    }>('select state, error_code, score from runs where id = $1', [runId])
    if (run && isTerminal(run.state)) return run
    await sleep(20)
  }
}
