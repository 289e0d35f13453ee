import { stageNames } from '@almanac/domain'
import type { Check } from './check.ts'

interface Row {
  tenant_id: string
  id: string
  state: string
  next_stage: string
  found: string[]
  expected: string[]
}

interface Late {
  source: string
  tenant_id: string
  run_id: string
  stage: string
  epoch: number
  run_epoch: number
}

/** P2: what a run's stages gave are the outputs before its next stage, all of them and no others. */
export const stageOrder: Check = {
  promise: 'P2',
  name: 'the outputs of every run are those of the stages before its next one',
  unit: 'stage outputs',
  async run({ snapshot }, findings) {
    const [counted] = await snapshot.query<{ rows: number }>(
      'select count(*) as rows from stage_outputs',
    )
    findings.rows(counted?.rows ?? 0)
    // Success is recorded with the output of the stage that concludes, which stays the next stage.
    const rows = snapshot.each<Row>(
      `select * from (
        select r.tenant_id, r.id, r.state, r.next_stage,
          coalesce(array_agg(o.stage order by array_position($1::text[], o.stage), o.stage)
            filter (where o.stage is not null), '{}') as found,
          ($1::text[])[1 : coalesce(array_position($1::text[], r.next_stage), 0)
            - case r.state when 'succeeded' then 0 else 1 end] as expected
        from runs r left join stage_outputs o on o.tenant_id = r.tenant_id and o.run_id = r.id
        group by r.tenant_id, r.id, r.state, r.next_stage
      ) as run where found <> expected`,
      [stageNames],
    )
    for await (const { tenant_id, id, state, next_stage, found, expected } of rows) {
      const stages = new Set([...found, ...expected])
      for (const stage of stages) {
        if (found.includes(stage) === expected.includes(stage)) continue
        const has = found.includes(stage) ? 'is there' : 'is missing'
        findings.problem(
          'stage_outputs',
          { tenant_id, run_id: id, stage },
          `the output ${has}, and the run is ${state} at the stage ${next_stage}`,
        )
      }
    }
    const late = snapshot.each<Late>(
      `select o.*, r.epoch as run_epoch from (
        select 'stage_outputs' as source, tenant_id, run_id, stage, epoch from stage_outputs
        union all select 'stage_tries', tenant_id, run_id, stage, epoch from stage_tries
      ) as o join runs r on r.tenant_id = o.tenant_id and r.id = o.run_id where o.epoch > r.epoch`,
    )
    for await (const { source, epoch, run_epoch, ...row } of late)
      findings.problem(source, row, `its epoch is ${epoch}, and the run’s only ${run_epoch}`)
  },
}
