import type { RunId } from '@almanac/domain'
import type { BudgetLedger, CallRef, Hold, HoldRequest } from '@almanac/pipeline'
import { sql } from 'kysely'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

interface HoldRow {
  outcome: 'granted' | 'settled' | 'reused' | 'busy' | 'in_flight' | 'refused'
  seq: number
  output_hash: string | null
  from_run: RunId | null
  level: string | null
  unit: 'micro_usd' | 'tokens' | null
  needed: number | null
  left_over: number | null
}

/** How a call ended, as `close_calls` reads it. */
export interface Closing {
  tenantId: string
  runId: string
  callKey: string
  seq: number
  to: 'settled' | 'released' | 'unknown' | 'charged'
  [detail: string]: unknown
}

/**
 * The ledger of paid calls in Postgres. The life of a call:
 *
 *   open ─▶ settled     answered and billed; its answer is found again by its hash
 *     │──▶ released     not billed: the hold is given back
 *     └──▶ unknown      the answer was lost, or its worker died: the hold stays
 *             └──▶ settled (late) | released (by an operator) | charged (in full, after a while)
 */
export function createLedger(db: Database): BudgetLedger {
  const hold = groupCalls(async (requests: readonly object[]) =>
    db.querySystem(
      'ledger',
      sql<HoldRow>`select * from hold_calls(${JSON.stringify(requests)}::jsonb) order by n`,
    ),
  )
  const close = groupCalls(async (closings: readonly Closing[]) => {
    await closeCalls(db, closings)
    return closings
  })
  return {
    async hold(request) {
      return toHold(await hold(claimOf(request)))
    },
    async settle(call, { costMicroUsd, usage, outcome, served, requestId, outputHash }) {
      const { model, tier } = served
      const billed = {
        costMicroUsd,
        ...usage,
        outcome,
        servedModel: model,
        tier,
        requestId,
        outputHash,
      }
      await close({ ...keyOf(call), to: 'settled', ...billed })
    },
    async release(call, reason) {
      await close({ ...keyOf(call), to: 'released', reason })
    },
    async unknown(call, reason) {
      await close({ ...keyOf(call), to: 'unknown', reason })
    },
  }
}

/** Ends calls; those that had ended before stay as they are. Answers how many changed. */
export async function closeCalls(db: Database, closings: readonly Closing[]): Promise<number> {
  const [row] = await db.querySystem(
    'ledger',
    sql<{ closed: number }>`select close_calls(${JSON.stringify(closings)}::jsonb) as closed`,
  )
  return row?.closed ?? 0
}

const keyOf = ({ run, callKey, seq }: CallRef) => ({
  tenantId: run.tenantId,
  runId: run.id,
  callKey,
  seq,
})

function claimOf({ run, estimate, callKey, ...request }: HoldRequest): object {
  const { tenantId, id, specificationId } = run
  return {
    ...request,
    ...estimate,
    tenantId,
    runId: id,
    specificationId,
    callKey,
    // A call's key begins with its kind, which is what the money was spent for.
    cause: callKey.split(':')[0],
  }
}

function toHold({
  outcome,
  seq,
  output_hash,
  from_run,
  level,
  unit,
  needed,
  left_over,
}: HoldRow): Hold {
  switch (outcome) {
    case 'granted':
      return { state: 'granted', seq }
    case 'settled':
      return { state: 'settled', seq, outputHash: output_hash ?? '' }
    case 'reused':
      if (from_run === null || output_hash === null) throw new Error('a reused call has no origin')
      return { state: 'reused', outputHash: output_hash, fromRunId: from_run }
    case 'busy':
    case 'in_flight':
      return { state: outcome }
    case 'refused': {
      const name = (level ?? '').replace('_', '/')
      return {
        state: 'refused',
        level: unit === 'tokens' ? `${name} tokens` : name,
        neededMicroUsd: needed ?? 0,
        leftMicroUsd: left_over ?? 0,
      }
    }
  }
}
