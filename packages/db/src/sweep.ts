import { canonicalJson, type RunId, type StageName, type TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { SweepStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import { toJob, type JobRow } from './admission.ts'
import { ending, endRuns, type Ending } from './end-runs.ts'
import { persist } from './group-calls.ts'
import { closeCalls } from './ledger.ts'
import { ensurePartitions, monthPartitions } from './partitions.ts'
import type { Database } from './pool.ts'
import { queueStopped } from './rates/stops.ts'
import { expireCheckpoints, remindCheckpoints } from './refinement/checkpoints.ts'

/** So many deaths of a worker in one stage are no accident. */
const mostCrashes = 3
/** Rows that one pass takes of each kind; the next pass takes the next ones. */
const batch = 500

interface TakenOver extends Omit<JobRow, 'n'> {
  crashes: number
}

interface Waited {
  tenant_id: TenantId
  run_id: RunId
  stage: StageName
  outcome: 'queued' | 'wait_expired' | 'deadline_passed'
  period_key: string | null
  deadline_at: Date | null
}

/** Finds the runs that nobody moves any more, and moves them. */
export function createSweep(db: Database): SweepStore {
  return {
    takeOver: () =>
      persist(() =>
        db.withSystem('sweep', async (trx) => {
          const { rows } = await sql<TakenOver>`select * from take_over_runs()`.execute(trx)
          const crashed = rows.filter(({ crashes }) => crashes >= mostCrashes)
          await endRuns(
            trx,
            crashed.map(({ tenant_id, run_id, stage, crashes }) =>
              ending({
                tenantId: tenant_id,
                runId: run_id,
                stage,
                to: 'failed',
                code: 'STAGE_CRASHED',
                params: { stage, crashes },
              }),
            ),
          )
          return rows
            .filter(({ crashes }) => crashes < mostCrashes)
            .map((row) => toJob({ ...row, n: 0 }))
        }),
      ),

    async stuck(idleMs, paused) {
      const rows = await db.querySystem(
        'sweep',
        sql<JobRow>`select * from stuck_runs(make_interval(secs => ${idleMs / 1_000}), ${paused}::text[])`,
      )
      return rows.map(toJob)
    },

    wake: () =>
      persist(() =>
        db.withSystem('sweep', async (trx) => {
          const { rows } = await sql<Waited>`select * from wake_runs(${batch})`.execute(trx)
          const ended = rows.filter(({ outcome }) => outcome !== 'queued')
          await endRuns(trx, ended.map(endingOf))
          return rows.length
        }),
      ),

    wakeStopped: () => persist(() => db.withSystem('sweep', queueStopped)),

    async finishCancelled() {
      const [row] = await persist(() =>
        db.querySystem('sweep', sql<{ n: number }>`select finish_cancelled() as n`),
      )
      return row?.n ?? 0
    },

    expireQueued: () =>
      persist(() =>
        db.withSystem('sweep', async (trx) => {
          const late = await trx
            .selectFrom('runs')
            .select(['tenant_id', 'id as run_id', 'next_stage as stage', 'deadline_at'])
            .where('state', '=', 'queued')
            .where('deadline_at', '<=', sql<Date>`now()`)
            // One that has a valid document goes on with the best that it has.
            .where('next_stage', '<>', 'refine')
            .orderBy('id')
            .limit(batch)
            .forNoKeyUpdate()
            .skipLocked()
            .execute()
          await endRuns(
            trx,
            late.map((run) => endingOf({ ...run, outcome: 'deadline_passed', period_key: null })),
          )
          return late.length
        }),
      ),

    remindCheckpoints: () => remindCheckpoints(db),

    expireCheckpoints: () => expireCheckpoints(db),

    async tellBudgets() {
      const [row] = await persist(() =>
        db.querySystem('sweep', sql<{ n: number }>`select tell_budget_events(${batch}) as n`),
      )
      return row?.n ?? 0
    },

    async chargeUnknown(ageMs) {
      const calls = await db.querySystem(
        'ledger',
        sql<UnknownCall>`select tenant_id, run_id, call_key, seq, hold_micro_usd, hold_tokens
          from engine_calls where unknown_at < now() - make_interval(secs => ${ageMs / 1_000})
          order by unknown_at limit ${batch}`,
      )
      if (calls.length === 0) return 0
      return persist(() => closeCalls(db, calls.map(chargeOf)))
    },

    async ensurePartitions(months) {
      await db.withSystem('sweep', (trx) =>
        ensurePartitions(trx, monthPartitions(new Date(), 0, months)),
      )
    },
  }
}

interface UnknownCall {
  tenant_id: TenantId
  run_id: RunId
  call_key: string
  seq: number
  hold_micro_usd: number
  hold_tokens: number
}

const chargeOf = ({ tenant_id, run_id, call_key, seq, ...hold }: UnknownCall) => ({
  tenantId: tenant_id,
  runId: run_id,
  callKey: call_key,
  seq,
  to: 'charged' as const,
  auditId: newId('audit'),
  auditDetail: canonicalJson({
    callKey: call_key,
    seq,
    microUsd: hold.hold_micro_usd,
    tokens: hold.hold_tokens,
  }),
})

function endingOf({ tenant_id, run_id, stage, outcome, period_key, deadline_at }: Waited): Ending {
  const run = { tenantId: tenant_id, runId: run_id, stage }
  if (outcome === 'wait_expired')
    return ending({
      ...run,
      to: 'blocked',
      code: 'CADENCE_WAIT_EXPIRED',
      params: { periodKey: period_key ?? '' },
    })
  const deadlineAt = (deadline_at ?? new Date()).toISOString()
  return ending({ ...run, to: 'failed', code: 'RUN_DEADLINE_PASSED', params: { deadlineAt } })
}
