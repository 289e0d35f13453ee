import {
  acceptRun,
  activateSpecification,
  createSpecification,
  createTenant,
  ensureSource,
  getRun,
  importBatch,
  createOperations,
} from '@almanac/db'
import { createLogger, createShutdown, readConfig } from '@almanac/runtime'
import { createQueueBackend } from '@almanac/queue'
import { createDeterministicEngine } from '@almanac/llm'
import { fileDeliverer, startWorker } from '@almanac/worker'
import { parse, specification, readEvidenceLine, fieldMapping, runRequest } from '@almanac/domain'
import { readFileSync } from 'node:fs'
import { openDatabase } from './system/database.ts'
const t0 = performance.now()
const config = readConfig({ ALMANAC_DATA: '/tmp/almanac/lead/data' })
const log = createLogger({ logLevel: 'warn', secrets: [] }, 'stderr')
const shutdown = createShutdown({ log, graceMs: 5000 })
const { db, url, codec, applied } = await openDatabase(config, log, shutdown)
console.log('db', applied.length, performance.now() - t0)
const backend = await createQueueBackend({
  databaseUrl: url,
  onError: (e) => console.log('queue', e),
})
const { createRunnerPorts } = await import('./system/runner-ports.ts')
const ports = createRunnerPorts({ db, codec }, createDeterministicEngine())
const worker = await startWorker({
  ports,
  operations: createOperations(db),
  backend,
  deliverers: { file: fileDeliverer({ dir: config.deliveryDir, content: ports.content }) },
  log,
  version: '0',
  onLost: () => console.log('lost'),
})
console.log('worker', performance.now() - t0)
const { tenantId } = await db.withSystem('bootstrap', (trx) =>
  createTenant(trx, 'system', {
    name: 'T',
    principalName: 'p',
    entitlement: {
      industries: { 'us-regulation': { deliverables: '*', regions: '*', links: '*' } },
      workflows: true,
      fastestCadence: 'daily',
      activeSpecifications: 100,
      onDemandRunsPerMonth: 5,
    },
  }),
)
const body = parse(specification, {
  ...JSON.parse(readFileSync('examples/us-regulation/specification.json', 'utf8')),
})
const items = readFileSync('examples/us-regulation/evidence.ndjson', 'utf8')
  .trim()
  .split('\n')
  .map((l) => readEvidenceLine(l, fieldMapping.parse({})))
const src = await db.withTenant(tenantId, (trx) =>
  ensureSource(trx, tenantId, 'sample-federal-register'),
)
console.log(await importBatch(db, ports.content, tenantId, src.id, items))
const spec = await db.withTenant(tenantId, async (trx) => {
  const s = await createSpecification(trx, tenantId, 'me', body)
  return activateSpecification(trx, tenantId, 'me', s.id)
})
console.log('spec', performance.now() - t0)
async function one(period: string) {
  const t = performance.now()
  const { runId } = await db.withTenant(tenantId, (trx) =>
    acceptRun(
      trx,
      tenantId,
      'me',
      parse(runRequest, { specificationId: spec.id, period }),
      new Date(),
    ),
  )
  worker.wake()
  for (;;) {
    const run = await db.withTenant(tenantId, (trx) => getRun(trx, tenantId, runId))
    if (['succeeded', 'failed', 'blocked', 'cancelled'].includes(run.state)) {
      if (run.state !== 'succeeded') console.log(run.state, run.error)
      return performance.now() - t
    }
    await new Promise((r) => setTimeout(r, 5))
  }
}
console.log('first', await one('2026-W40'))
for (let i = 1; i < 20; i++)
  console.log('idle', Math.round(await one(`2025-W${String(i).padStart(2, '0')}`)))
const t = performance.now()
const n = 200
const weeks = Array.from(
  { length: n },
  (_, i) => `20${10 + Math.floor(i / 50)}-W${String((i % 50) + 1).padStart(2, '0')}`,
)
await Promise.all(weeks.map(one))
console.log(n / ((performance.now() - t) / 1000), 'runs/s', process.memoryUsage().rss / 1e6)
await worker.stop(3000)
await backend.close()
await shutdown.begin('done')
process.exit(0)
