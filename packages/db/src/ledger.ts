import type { RunId } from '@almanac/domain'
import type {
  BudgetLedger,
  BudgetListener,
  BudgetState,
  CallRef,
  Hold,
  HoldRequest,
  Usage,
} from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Codec } from './codec.ts'
import { bytesOf, mostBytes, packBlobs, sealText, type Blob } from './content.ts'
import { groupCalls } from './group-calls.ts'
import type { Database } from './pool.ts'
import { toRecords, type Field } from './records.ts'

interface HoldRow {
  outcome: Hold['state'] | 'budgets'
  seq: number
  output_hash: string | null
  from_run: RunId | null
  refusal: Refusal | null
  budgets: BudgetState[] | null
}

interface Refusal {
  level: string
  subject: string
  period: string
  unit: 'micro_usd' | 'tokens'
  because: 'limit' | 'reserve' | 'overrun'
  needed: number
  left: number
  version: number
}

/** How a call ended. */
export interface Closing extends Partial<Usage> {
  tenantId: string
  runId: string
  callKey: string
  seq: number
  to: 'settled' | 'released' | 'unknown' | 'charged'
  outcome?: string
  reason?: string
  servedModel?: string
  tier?: string | null
  costMicroUsd?: number
  requestId?: string | null
  outputHash?: string | null
  /** Who ends it by hand, and the event that says so. */
  actor?: string
  auditId?: string
  auditDetail?: string
}

/** Calls that one statement takes: the more, the fewer changes of the budgets that they share. */
const groupSize = 2_048

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
        // Few are refused: what is said of them comes in one column, which is null for all others.
        sql<HoldRow>`select outcome, seq, output_hash, from_run, budgets, case when level is not null
            then jsonb_build_object('level', level, 'subject', subject, 'period', period, 'unit', unit,
              'because', because, 'needed', needed, 'left', left_over, 'version', version) end as refusal
          from hold_calls(${toHoldRequests(requests)}::hold_request[], ${listener !== undefined})
          order by n`,
      )
      const states = rows.length > requests.length ? rows.pop()?.budgets : null
      if (listener && states) listener.changed(states)
      return requests.map((request, i) => {
        const row = rows[i]
        if (!row) throw new Error('fewer calls were answered than were asked')
        if (row.outcome !== 'refused') return toHold(row)
        // Refused without a reason: the one that came with the request still stands.
        if (!row.refusal && request.refusal) {
          const { by: _budget, ...refusal } = request.refusal
          return { state: 'refused', ...refusal }
        }
        if (!row.refusal) throw new Error('a call was refused without a reason')
        const answer = toRefusal(row.refusal)
        listener?.refused(request, answer, budgetOf(request, row.refusal))
        return answer
      })
    },
    {
      max: groupSize,
      // Equal requests of several runs are seen in one statement: only one of them is sent.
      beside: { crowd: groupSize / 2, keyOf: ({ requestHash }) => requestHash },
    },
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
  // A statement ends a call once; what is told of it after that comes in a statement of its own.
  const [first, later]: [Closing[], Closing[]] = [[], []]
  const told = new Set<string>()
  for (const closing of closings) {
    const call = `${closing.runId} ${closing.callKey} ${closing.seq}`
    if (told.has(call)) later.push(closing)
    else first.push(closing)
    told.add(call)
  }
  const { index, bytes } = packBlobs(blobs)
  const [row] = await db.querySystem(
    'ledger',
    sql<{ closed: number; budgets: BudgetState[] }>`select * from close_calls(
      ${toRecords(first.map(fieldsOf))}::call_closing[], ${listener !== undefined}, ${index}::jsonb, ${bytes}::bytea)`,
  )
  if (listener && row) listener.changed(row.budgets)
  const closed = row?.closed ?? 0
  return later.length === 0 ? closed : closed + (await closeCalls(db, later, { listener }))
}

const keyOf = ({ run, callKey, seq }: CallRef) => ({
  tenantId: run.tenantId,
  runId: run.id,
  callKey,
  seq,
})

/**
 * Requests as an array of `hold_request`, marked where one has the call, or asks the thing, of another: of
 * twins the first counts, and of equal requests of several runs one is sent.
 */
export function toHoldRequests(requests: readonly HoldRequest[]): string {
  const calls = new Set<string>()
  const asked = new Map<string, number>()
  for (const { requestHash } of requests) asked.set(requestHash, (asked.get(requestHash) ?? 0) + 1)
  return toRecords(
    requests.map((request) => {
      const { run, callKey, estimate, runLimit, finishing } = request
      const call = `${run.id} ${callKey}`
      const isTwin = calls.has(call)
      calls.add(call)
      return [
        run.tenantId,
        run.id,
        run.specificationId,
        request.epoch,
        request.stage,
        // A call's key begins with its kind, which is what the money was spent for.
        callKey.split(':', 1)[0],
        request.workerId,
        callKey,
        request.call,
        request.provider,
        request.model,
        request.requestHash,
        request.packageHash,
        estimate.microUsd,
        estimate.tokens,
        runLimit.microUsd,
        runLimit.tokens,
        finishing?.microUsd,
        finishing?.tokens,
        request.refusal?.by,
        request.reuse,
        isTwin,
        (asked.get(request.requestHash) ?? 0) > 1,
      ]
    }),
  )
}

/** A closing as the fields of `call_closing`. */
const fieldsOf = (closing: Closing): Field[] => [
  closing.tenantId,
  closing.runId,
  closing.callKey,
  closing.seq,
  closing.to,
  closing.outcome,
  closing.reason,
  closing.servedModel,
  closing.tier,
  closing.inputTokens,
  closing.cachedInputTokens,
  closing.outputTokens,
  closing.estimated,
  closing.costMicroUsd,
  closing.requestId,
  closing.outputHash,
  closing.actor,
  closing.auditId,
  closing.auditDetail,
]

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
    case 'budgets':
      throw new Error(`a call was answered with ${outcome}`)
  }
}

const toRefusal = ({ level, unit, needed, left, because }: Refusal) => ({
  state: 'refused' as const,
  level: level.replace('_', '/'),
  unit: unit === 'tokens' ? ('tokens' as const) : ('micro-USD' as const),
  needed,
  left,
  because,
})

const budgetOf = ({ run }: HoldRequest, { level, subject, period, version }: Refusal) => ({
  tenantId: level === 'provider_day' ? null : run.tenantId,
  level,
  subject,
  period,
  version,
})
