import { createOperations, plainCodec, proveRoot, type Database } from '@almanac/db'
import type { RunId, Specification, TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import {
  pipeline,
  runInline,
  runVariant,
  type Engine,
  type RunnerPorts,
  type VariantJob,
  type VariantJobEnd,
} from '@almanac/pipeline'
import { activateSpecification, createSpecification, registerModule } from '@almanac/db'
import { createRunnerPorts } from '../../apps/cli/src/system/runner-ports.ts'
import { chained } from './chained.ts'
import { queueRun, testTenant, type TestDatabase, type TestTenant } from './postgres.ts'
import { sampleModule, sampleMonth } from './workflow-sample.ts'

/** A run of a workflow on Postgres whose stages and variants a test moves one after the other. */
export interface RefinedByHand {
  tenant: TestTenant
  runId: RunId
  ports: RunnerPorts
  /** Jobs that were booked and that nobody has taken yet. */
  jobs: VariantJob[]
  /** Admits the run where it is queued, and lets it go on until it waits or ends. Answers its state. */
  go(): Promise<string>
  /** Does the jobs that there are, as a worker does. */
  work(ports?: RunnerPorts): Promise<VariantJobEnd[]>
  /** From here to the end of the run. Answers its state. */
  finish(): Promise<string>
  /** The same run in the hands of another worker. */
  asWorker(engine?: Engine): Promise<RunnerPorts>
}

const signal = new AbortController().signal

/** Queues a run of a workflow with the example's module. */
export async function refineByHand(
  { db }: Pick<TestDatabase, 'db'>,
  engine: Engine,
  specification: Specification,
): Promise<RefinedByHand> {
  const operations = createOperations(db)
  const tenant = await testTenant(db)
  const { tenantId, principalId } = tenant
  const specificationId = await db.withTenant(tenantId, async (trx) => {
    await registerModule(trx, tenantId, principalId, sampleModule())
    const { id } = await createSpecification(trx, tenantId, principalId, specification)
    await activateSpecification(trx, tenantId, principalId, id)
    return id
  })
  const runId = await queueRun(db, { ...tenant, specificationId }, { period: sampleMonth })
  const jobs: VariantJob[] = []

  const asWorker = async (by = engine): Promise<RunnerPorts> => {
    const made = createRunnerPorts({ db, codec: plainCodec }, by)
    const id = newId('worker')
    await operations.leases.register({ id, host: 'here', pid: 1, version: '0' }, 3_600_000)
    return {
      ...made,
      refinement: {
        ...made.refinement,
        enqueue: (added) => Promise.resolve(void jobs.push(...added)),
      },
      deliveries: { deliverers: [], prompt: () => Promise.resolve() },
      identity: { workerId: id },
      log: () => undefined,
    }
  }
  const ports = await asWorker()

  const stateOf = async () => (await ports.load(tenantId, runId))?.state ?? 'nowhere'
  const go = async () => {
    if ((await stateOf()) === 'queued') await operations.admission.admit(new Map([[tenantId, 1]]))
    const run = await ports.load(tenantId, runId)
    if (run?.state === 'running')
      await runInline(pipeline, run.nextStage, { tenantId, runId, epoch: run.epoch }, ports)
    return stateOf()
  }
  const work = async (by = ports) => {
    const ends: VariantJobEnd[] = []
    for (const job of jobs.splice(0)) ends.push(await runVariant(job, by, signal))
    return ends
  }
  const finish = async () => {
    for (;;) {
      const state = await go()
      if (jobs.length > 0) await work()
      else if (state !== 'queued' && state !== 'running') return state
    }
  }
  return { tenant, runId, ports, jobs, go, work, finish, asWorker }
}

/** The proof of a root, with all of its acts in the chain. */
export async function provedRoot(db: Database, tenantId: TenantId, runId: RunId) {
  await chained(db)
  return db.withTenant(tenantId, (trx) => proveRoot(trx, tenantId, runId))
}
