import { createOperations, plainCodec } from '@almanac/db'
import { createDeterministicEngine } from '@almanac/llm'
import { createQueueBackend, migrateQueue } from '@almanac/queue'
import { startWorker } from '@almanac/worker'
import { sql } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { withDefectiveDraft } from '../support/defective-engine.ts'
import { importLines, sampleLines } from '../support/evidence.ts'
import { queueRun, testTenant } from '../support/tenant.ts'
import { samplePeriod } from '../support/sample.ts'
import { openOwnDatabase } from './own-database.ts'

/** The last generation asks for no more: depth 3 of 4, three variants each. */
const refinement = {
  enabled: true,
  maxDepth: 4,
  maxChildren: 100,
  checkpointRatio: 0.8,
  decay: 0,
  variants: 3,
  checkpointExpiryMinutes: 60,
  termination: [{ type: 'depth_reached', depth: 3 }],
} as const

const warmUp = 5

/**
 * Milliseconds from the start of a root to its end, by the instants that the database keeps: three
 * generations of up to three variants on the deterministic engine, one root after the other, with the
 * queue in Postgres. The first ones warm up and do not count: a process that has just started still
 * compiles its code.
 */
export async function rootTimes(rounds: number): Promise<number[]> {
  const { db, url, close } = await openOwnDatabase()
  await migrateQueue({ databaseUrl: url })
  const backend = await createQueueBackend({ databaseUrl: url, onError: () => undefined })
  const ports = createRunnerPorts(
    { db, codec: plainCodec },
    withDefectiveDraft(createDeterministicEngine(), { slowly: true }),
  )
  const ignore = () => undefined
  const worker = await startWorker({
    ports,
    operations: createOperations(db),
    backend,
    deliverers: {},
    log: { info: ignore, warn: ignore, error: ignore },
    version: 'bench',
    onLost: () => process.exit(1),
  })
  try {
    const times: number[] = []
    for (let round = 0; round < warmUp + rounds; round += 1) {
      const tenant = await testTenant(db, {
        specification: { refinement: { ...refinement, termination: [...refinement.termination] } },
      })
      await importLines(db, ports.content, tenant, sampleLines())
      const runId = await queueRun(db, tenant, { period: samplePeriod })
      worker.wake()
      for (let ms: number | undefined; ms === undefined;) {
        await sleep(50)
        const [row] = await db.querySystem<{ ms: number; depth: number }>(
          'refinement',
          sql`select extract(epoch from ended_at - opened_at)::float8 * 1000 as ms, depth
            from refinement_roots where run_id = ${runId} and ended_at is not null`,
        )
        if (!row) continue
        if (row.depth !== 3) throw new Error(`the root ended at depth ${row.depth}`)
        ms = row.ms
        if (round >= warmUp) times.push(ms)
      }
    }
    return times
  } finally {
    await worker.stop(5_000)
    await backend.close()
    await close()
  }
}
