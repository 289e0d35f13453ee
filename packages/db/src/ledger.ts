import type { RunId } from '@almanac/domain'
import type {
  BudgetLedger,
  BudgetListener,
  BudgetState,
  CallRef,
  Hold,
  HoldRequest,
} from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec } from './codec.ts'
import { bytesOf, mostBytes, packBlobs, sealText, type Blob } from './content.ts'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'

interface HoldRow {
  outcome: Hold['state'] | 'budgets'
  seq: number
  output_hash: string | null
  from_run: RunId | null
  level: string | null
  subject: string | null
  period: string | null
  unit: 'micro_usd' | 'tokens' | null
  because: 'limit' | 'reserve' | 'overrun' | null
  needed: number | null
  left_over: number | null
  version: number | null
  budgets: BudgetState[] | null
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

/** Calls that one statement takes: more only make each of them wait longer. */
const groupSize = 1_024

/**
 * The ledger of paid calls in Postgres. The life of a call:
 *
 *   open ─▶ settled     answered and billed; its answer is found again by its hash
 *     │──▶ released     not billed: the hold is given back
 *     └──▶ unknown      the answer was lost, or its worker died: the hold stays
 *             └──▶ settled (late) | released (by an operator) | charged (in full, after a while)
 */
export function createLedger(db: Database, codec: Codec, listener?: BudgetListener): BudgetLedger {
  const hold = groupCalls(
    async (requests: readonly HoldRequest[]): Promise<Hold[]> => {
      const rows = await db.querySystem(
        'ledger',
        sql<HoldRow>`select * from hold_calls(${JSON.stringify(requests.map(claimOf))}::json,
          ${listener !== undefined}) order by n`,
      )
      const states = rows.length > requests.length ? rows.pop()?.budgets : null
      if (listener && states) listener.changed(states)
      return requests.map((request, i) => {
        const row = rows[i]
        if (!row) throw new Error('fewer calls were answered than were asked')
        const answer = toHold(row)
        if (answer.state !== 'refused') return answer
        if (request.refusal && row.level === null) {
          const { by: _budget, ...refusal } = request.refusal
          return { state: 'refused', ...refusal }
        }
        listener?.refused(request, answer, budgetOf(request, row))
        return answer
      })
    },
    { max: groupSize },
  )
  const end = groupCalls(
    async (ends: readonly { closing: Closing; blobs: readonly Blob[] }[]) => {
      const closings = ends.map(({ closing }) => closing)
      const blobs = ends.flatMap((one) => one.blobs)
      await closeCalls(db, closings, { listener, blobs })
      return ends
    },
    { max: groupSize, weigh: ({ blobs }) => bytesOf(blobs), mostWeight: mostBytes },
  )
  const close = (closing: Closing, blobs: readonly Blob[] = []) => end({ closing, blobs })
  return {
    hold,
    async settle(call, { costMicroUsd, usage, outcome, served, requestId, outputHash, answer }) {
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
      const blobs = answer ? [sealText(codec, call.run.tenantId, answer)] : []
      await close({ ...keyOf(call), to: 'settled', ...billed }, blobs)
    },
    async release(call, reason) {
      await close({ ...keyOf(call), to: 'released', reason })
    },
    async unknown(call, reason) {
      await close({ ...keyOf(call), to: 'unknown', reason })
    },
  }
}

interface Beside {
  listener?: Pick<BudgetListener, 'changed'> | undefined
  /** The answers that the calls were settled with. */
  blobs?: readonly Blob[]
}

/** Ends calls; those that had ended before stay as they are. Answers how many changed. */
export async function closeCalls(
  db: Database,
  closings: readonly Closing[],
  { listener, blobs = [] }: Beside = {},
): Promise<number> {
  const { index, bytes } = packBlobs(blobs)
  const [row] = await db.querySystem(
    'ledger',
    sql<{ closed: number; budgets: BudgetState[] }>`select * from close_calls(
      ${JSON.stringify(closings)}::json, ${listener !== undefined}, ${index}::jsonb, ${bytes}::bytea)`,
  )
  if (listener && row) listener.changed(row.budgets)
  return row?.closed ?? 0
}

const keyOf = ({ run, callKey, seq }: CallRef) => ({
  tenantId: run.tenantId,
  runId: run.id,
  callKey,
  seq,
})

/** A hold request as `hold_calls` reads it. */
export function claimOf(holding: HoldRequest): object {
  const { run, estimate, callKey, runLimit, finishing, ...request } = holding
  const { tenantId, id, specificationId } = run
  return {
    ...request,
    ...estimate,
    limitMicroUsd: runLimit.microUsd,
    limitTokens: runLimit.tokens,
    finishMicroUsd: finishing?.microUsd,
    finishTokens: finishing?.tokens,
    tenantId,
    runId: id,
    specificationId,
    callKey,
    // A call's key begins with its kind, which is what the money was spent for.
    cause: callKey.split(':')[0],
  }
}

function toHold(row: HoldRow): Hold {
  const { outcome, seq, output_hash, from_run } = row
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
    case 'stopped':
      return { state: outcome }
    case 'refused':
      return {
        state: 'refused',
        level: (row.level ?? '').replace('_', '/'),
        unit: row.unit === 'tokens' ? 'tokens' : 'micro-USD',
        needed: row.needed ?? 0,
        left: row.left_over ?? 0,
        because: row.because ?? 'limit',
      }
    case 'budgets':
      throw new Error('fewer calls were answered than were asked')
  }
}

const budgetOf = ({ run }: HoldRequest, { level, subject, period, version }: HoldRow) => ({
  tenantId: level === 'provider_day' ? null : run.tenantId,
  level: level ?? '',
  subject: subject ?? '',
  period: period ?? '',
  version: version ?? 0,
})
