import {
  origin,
  scope,
  stageNames,
  type Lane,
  type RunRequest,
  type SpecificationId,
  type StageName,
  type Trigger,
} from '@almanac/domain'
import type { RunStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Database } from './pool.ts'

interface Row {
  specification_id: SpecificationId
  revision: number
  state: string
  epoch: number
  next_stage: StageName
  tries: number
  trigger: Trigger
  lane: Lane
  test: boolean
  fresh: boolean
  narrow: unknown
  period: string | null
  ordinal: number
  on_conflict: RunRequest['onConflict']
  origin: unknown
  deadline_at: Date | null
  created_at: Date
  outputs: unknown
  origin_outputs: unknown
}

const narrowed = z.nullable(scope.partial())
const originated = z.nullable(origin)
const outputsByStage = z.nullable(z.partialRecord(z.enum(stageNames), z.string()))

/** Runs with the outputs of their stages, in one round trip. */
export function createRunStore(db: Database): RunStore {
  return {
    async load(tenantId, runId) {
      const [row] = await db.queryTenant(sql<Row>`select * from load_run(${tenantId}, ${runId})`)
      if (!row) return undefined
      return {
        facts: {
          id: runId,
          tenantId,
          specificationId: row.specification_id,
          revision: row.revision,
          trigger: row.trigger,
          test: row.test,
          fresh: row.fresh,
          period: row.period,
          ordinal: row.ordinal,
          narrow: narrowed.parse(row.narrow),
          onConflict: row.on_conflict,
          lane: row.lane,
          origin: originated.parse(row.origin),
          createdAt: row.created_at.toISOString(),
          deadlineAt: row.deadline_at?.toISOString() ?? null,
        },
        epoch: row.epoch,
        state: row.state,
        nextStage: row.next_stage,
        tries: row.tries,
        outputs: outputsByStage.parse(row.outputs) ?? {},
        originOutputs: outputsByStage.parse(row.origin_outputs) ?? {},
      }
    },
  }
}
