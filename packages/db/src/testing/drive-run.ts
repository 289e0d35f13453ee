import {
  stageNames,
  type RunId,
  type StageName,
  type TenantId,
  type WorkerId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { LoadedRun, Move, StageCommit, Verdict } from '@almanac/pipeline'
import type { Database } from '../pool.ts'
import { createOperations, createPorts } from '../ports.ts'

/** A period that every weekly specification of these tests has behind it. */
export const testPeriod = {
  periodKey: '2022-W10',
  from: '2022-03-07T05:00:00Z',
  to: '2022-03-14T04:00:00Z',
  cadence: 'weekly',
  timeZone: 'America/New_York',
}

/** Moves runs as workers do, without doing the stages' work: the database's side of the pipeline. */
export function createDriver(db: Database) {
  const ports = createPorts(db)
  const operations = createOperations(db)
  const workerId = newId('worker')

  const load = async (tenantId: TenantId, runId: RunId): Promise<LoadedRun> => {
    const run = await ports.load(tenantId, runId)
    if (!run) throw new Error(`no ${runId}`)
    return run
  }

  const admit = (tenantId: TenantId, count = 1) =>
    operations.admission.admit(new Map([[tenantId, count]]))

  const claim = ({ facts }: LoadedRun, period: Partial<typeof testPeriod> = {}) =>
    ports.slots.claim({ run: facts, ...testPeriod, ...period })

  /** Commits the stages before `stage`, claiming the slot on the way. */
  const advance = async (
    tenantId: TenantId,
    runId: RunId,
    stage: StageName,
  ): Promise<LoadedRun> => {
    for (;;) {
      const run = await load(tenantId, runId)
      if (run.nextStage === stage) return run
      if (run.nextStage === 'cadence' && !run.facts.test) await claim(run)
      const verdict = await ports.commitStage(stepCommit(run, workerId))
      if (verdict !== 'committed') throw new Error(`${run.nextStage}: ${verdict}`)
    }
  }

  const succeed = async (tenantId: TenantId, runId: RunId): Promise<Verdict> => {
    const run = await advance(tenantId, runId, 'persist')
    return ports.commitStage(await conclusionCommit(ports, run, workerId))
  }

  const move = async (tenantId: TenantId, runId: RunId, to: Move): Promise<Verdict> =>
    ports.commitStage(moveCommit(await load(tenantId, runId), workerId, to))

  return { ports, operations, workerId, load, admit, claim, advance, succeed, move }
}

export type Driver = ReturnType<typeof createDriver>

/** The commit of a stage that gave its output. */
export function stepCommit(run: LoadedRun, workerId: WorkerId): StageCommit {
  const { facts, epoch, nextStage: stage } = run
  const next = stageNames[stageNames.indexOf(stage) + 1] ?? 'deliver'
  const output = stage === 'cadence' ? { periodKey: facts.test ? null : testPeriod.periodKey } : {}
  return {
    tenantId: facts.tenantId,
    runId: facts.id,
    epoch,
    stage,
    workerId,
    output: JSON.stringify(output),
    durationMs: 5,
    move: { to: 'running', next },
    events: [{ type: 'run.stage_completed', data: { stage, durationMs: 5 } }],
    conclusion: null,
  }
}

/** The commit of a stage that did not finish. */
export function moveCommit(run: LoadedRun, workerId: WorkerId, move: Move): StageCommit {
  const { nextStage: stage } = run
  const step = stepCommit(run, workerId)
  const events: StageCommit['events'] =
    move.to === 'failed' || move.to === 'blocked'
      ? [{ type: `run.${move.to}`, data: { stage, code: move.code } }]
      : move.to === 'parked'
        ? [{ type: 'run.parked', data: { stage, reason: move.reason, wakeAt: move.wakeAt } }]
        : []
  return { ...step, output: null, move, events }
}

/** The commit that ends a run in success, with its contents stored. */
export async function conclusionCommit(
  { content }: Driver['ports'] | { content: Driver['ports']['content'] },
  run: LoadedRun,
  workerId: WorkerId,
): Promise<StageCommit> {
  const { tenantId, id, test } = run.facts
  const [packageHash = '', contentHash = '', html = ''] = await content.put(tenantId, [
    `{"package":"${id}"}`,
    `{"document":"${id}"}`,
    `<p>${id}</p>`,
  ])
  const artifact = { bytes: 20, engine: 'deterministic', model: 'none' }
  const version = { id: newId('version'), label: '1', contentHash, packageHash }
  return {
    ...stepCommit(run, workerId),
    move: { to: 'succeeded' },
    events: [{ type: 'run.succeeded', data: { score: 0.9, artifacts: [] } }],
    conclusion: {
      documentId: newId('document'),
      version: { ...version, score: 0.9, evaluation: '{"metrics":[],"score":0.9}' },
      artifacts: [
        { ...artifact, id: newId('artifact'), format: 'json', sha256: contentHash },
        { ...artifact, id: newId('artifact'), format: 'html', sha256: html },
      ],
      deliveries: test ? [] : [{ id: newId('delivery'), deliverer: 'file' }],
    },
  }
}
