import type { ControlName, StageControl, StageControls } from '@almanac/pipeline'
import { sql, type Selectable } from 'kysely'
import { recordOperatorAct } from './operators/operator-acts.ts'
import type { Database, Trx } from './pool.ts'
import type { StageControlRows } from './schema.ts'

/** Which stages are paused, and how many jobs of each may run; a stage without row runs as it is. */
export const createStageControls = (db: Database): StageControls => ({
  read: () =>
    db.querySystem(
      'controls',
      sql<Pick<Selectable<StageControlRows>, 'stage' | 'paused' | 'concurrency'>>`
        select stage, paused, concurrency from stage_controls order by stage`,
    ),
})

/** A control as operators see it: with who set it, when and why. */
export interface StageControlView extends StageControl {
  reason: string
  changedBy: string
  changedAt: string
}

/** The controls that anybody has set. For operators: takes a system transaction. */
export async function listStageControls(trx: Trx): Promise<StageControlView[]> {
  const rows = await trx.selectFrom('stage_controls').selectAll().orderBy('stage').execute()
  return rows.map(({ changed_by, changed_at, ...row }) => ({
    ...row,
    changedBy: changed_by,
    changedAt: changed_at.toISOString(),
  }))
}

/** What changes in a control; what is left out stays as it is. A concurrency of null is the worker's own. */
export interface StageControlChange {
  paused?: boolean
  concurrency?: number | null
}

/** Changes the control of a stage, audited; workers obey within a second. For operators. */
export async function changeStageControl(
  trx: Trx,
  stage: ControlName,
  change: StageControlChange,
  { by, reason }: { by: string; reason: string },
): Promise<StageControl> {
  const known = await trx
    .selectFrom('stage_controls')
    .select(['paused', 'concurrency'])
    .where('stage', '=', stage)
    .forUpdate()
    .executeTakeFirst()
  const control = { paused: false, concurrency: null, ...known, ...change }
  const row = { ...control, reason, changed_by: by, changed_at: sql<Date>`now()` }
  await trx
    .insertInto('stage_controls')
    .values({ stage, ...row })
    .onConflict((conflict) => conflict.column('stage').doUpdateSet(row))
    .execute()
  await recordOperatorAct(trx, {
    actor: by,
    action: 'stage.controlled',
    subject: stage,
    detail: { ...control, reason },
  })
  return { stage, ...control }
}
