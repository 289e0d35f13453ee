import {
  canonicalJson,
  type ErrorCode,
  type RunId,
  type TenantId,
  type VersionId,
  type WorkerId,
} from '@almanac/domain'
import type { BudgetLedger, NewStoredVersion } from '@almanac/pipeline'
import { sql } from 'kysely'
import { groupCalls, persist } from '../group-calls.ts'
import { toHoldRequests } from '../ledger.ts'
import type { Database } from '../pool.ts'
import type { RootKey } from './root-key.ts'

/** One variant of a root's generation. */
export interface VariantKey extends RootKey {
  generation: number
  ordinal: number
}

/** How a variant ended; a version only of one that is done, its content stored before. */
export type VariantEnd =
  | { state: 'done'; version: NewStoredVersion & { parents: VersionId[] } }
  | { state: 'failed'; errorCode: ErrorCode; because?: string }
  | { state: 'cancelled' }

/** `changed`: it was this call that closed it. `remaining`: variants of its generation still open. */
export interface VariantClosed {
  changed: boolean
  remaining: number
}

/** A variant's job to add again, under a fresh `n`. */
export interface VariantJob extends VariantKey {
  n: number
}

export interface VariantStore {
  /** Claims a variant: `busy` while another live worker has it, `closed` when nobody needs it any more. */
  begin(key: VariantKey, workerId: WorkerId): Promise<'begun' | 'busy' | 'closed'>
  /**
   * Closes variants, each once, with those of concurrent jobs in one statement: the fan-in. The last one
   * of a generation queues its run. What was booked and not begun is given back.
   */
  finish(key: VariantKey, end: VariantEnd): Promise<VariantClosed>
  /**
   * Open variants without live worker or progress for `idleMs`: the jobs to add again. Those whose
   * workers have died three times fail with STAGE_CRASHED.
   */
  stuck(idleMs: number): Promise<VariantJob[]>
  /** Gives booked holds back whose variant was cancelled with its run. Answers how many. */
  releaseBooked(): Promise<number>
  /**
   * Runs that wait for variants which nobody may work on wait `waitMs` from now on, up to their
   * deadline. Answers how many; those that have most of that time before them are left as they are.
   */
  keepWaiting(waitMs: number): Promise<number>
  /** Which of the variants are still wanted: the others' calls are to be aborted. */
  wanted(keys: readonly VariantKey[]): Promise<VariantKey[]>
}

/** So many deaths of a worker in one variant are no accident. */
const mostCrashes = 3
/** Rows that one pass takes; the next pass takes the next ones. */
const batch = 500

export function createVariants(db: Database): VariantStore {
  const finish = groupCalls(
    async (results: readonly object[]) => {
      const rows = await db.querySystem(
        'refinement',
        sql<{ changed: boolean; remaining: number | null }>`select changed, remaining
          from finish_variants(${JSON.stringify(results)}::jsonb) order by n`,
      )
      return rows.map(({ changed, remaining }) => ({ changed, remaining: remaining ?? 0 }))
    },
    { max: 256 },
  )
  return {
    async begin({ tenantId, runId, generation, ordinal }, workerId) {
      const [row] = await db.querySystem(
        'refinement',
        sql<{ found: 'begun' | 'busy' | 'closed' }>`select begin_variant(${tenantId}, ${runId},
          ${generation}::integer, ${ordinal}::integer, ${workerId}, ${mostCrashes}::integer) as found`,
      )
      return row?.found ?? 'closed'
    },
    finish: (key, end) => finish(resultOf(key, end)),
    async stuck(idleMs) {
      const rows = await persist(() =>
        db.querySystem(
          'refinement',
          sql<StuckRow>`select * from stuck_variants(make_interval(secs => ${idleMs / 1_000}), ${batch})`,
        ),
      )
      const jobs = rows.map(({ tenant_id: tenantId, run_id: runId, ...rest }) => ({
        tenantId,
        runId,
        ...rest,
      }))
      const crashed = jobs.filter(({ crashes }) => crashes >= mostCrashes)
      await Promise.all(
        crashed.map((job) =>
          finish(resultOf(job, { state: 'failed', errorCode: 'STAGE_CRASHED' })),
        ),
      )
      return jobs
        .filter(({ crashes }) => crashes < mostCrashes)
        .map(({ crashes: _deaths, ...job }) => job)
    },
    async releaseBooked() {
      const [row] = await persist(() =>
        db.querySystem('refinement', sql<{ n: number }>`select release_booked(${batch}) as n`),
      )
      return row?.n ?? 0
    },
    async keepWaiting(waitMs) {
      const rows = await persist(() =>
        db.querySystem(
          'refinement',
          sql`with waiting as (
              select r.tenant_id, r.id from runs r
              where r.state = 'parked' and r.park_reason = 'children'
                and r.wake_at < least(now() + make_interval(secs => ${waitMs / 2_000}), r.deadline_at)
              order by r.id limit ${batch} for no key update of r skip locked
            )
            update runs r set wake_at = least(now() + make_interval(secs => ${waitMs / 1_000}), r.deadline_at)
            from waiting w where r.tenant_id = w.tenant_id and r.id = w.id returning r.id`,
        ),
      )
      return rows.length
    },
    async wanted(keys) {
      if (keys.length === 0) return []
      const rows = await db.querySystem(
        'refinement',
        sql<{ n: number }>`select k.n::integer as n
          from jsonb_to_recordset(${JSON.stringify(keys.map((key, n) => ({ ...key, n })))}::jsonb)
            as k (n integer, "tenantId" text, "runId" text, generation integer, ordinal integer)
          join variants v on v.tenant_id = k."tenantId" and v.run_id = k."runId"
            and v.generation = k.generation and v.ordinal = k.ordinal and v.state = 'open'
          join runs r on r.tenant_id = v.tenant_id and r.id = v.run_id and r.state = 'parked'
            and r.park_reason = 'children'`,
      )
      return rows.flatMap(({ n }) => keys[n] ?? [])
    },
  }
}

interface StuckRow {
  tenant_id: TenantId
  run_id: RunId
  generation: number
  ordinal: number
  crashes: number
  n: number
}

const resultOf = (
  { tenantId, runId, generation, ordinal }: VariantKey,
  end: VariantEnd,
): object => ({
  tenantId,
  runId,
  generation,
  ordinal,
  ...end,
  // Numbers of the audit are written as canonical JSON writes them.
  ...(end.state === 'done' ? { scoreText: canonicalJson(end.version.score) } : {}),
})

/**
 * The ledger as variants use it: a child's first hold was booked with its generation and is taken over
 * here; everything else is the ledger's own.
 */
export function createVariantLedger(db: Database, ledger: BudgetLedger): BudgetLedger {
  return {
    ...ledger,
    async hold(request) {
      const [row] = await db.querySystem(
        'refinement',
        sql<{ seq: number | null }>`select adopt_booked(
          (${toHoldRequests([request])}::hold_request[])[1]) as seq`,
      )
      const seq = row?.seq ?? null
      if (seq === 0) return { state: 'stopped' }
      return seq === null ? ledger.hold(request) : { state: 'granted', seq }
    },
  }
}
