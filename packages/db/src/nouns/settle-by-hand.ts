import { AlmanacError, canonicalJson, type RunId, type TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import { sql } from 'kysely'
import { closeCalls } from '../ledger.ts'
import type { Database, Trx } from '../pool.ts'
import { recordAct } from './acts.ts'

/** A send of a call, as people name it. */
export interface CallName {
  tenantId: TenantId
  runId: RunId
  callKey: string
}

/**
 * Acknowledges the overruns of a call, so that the levels that they blocked take calls again; audited.
 * For operators: takes a system transaction. Throws NOT_FOUND when none is open.
 */
export async function acknowledgeOverruns(
  trx: Trx,
  actor: string,
  { tenantId, runId, callKey }: CallName,
  reason: string,
): Promise<number> {
  const open = await trx
    .selectFrom('budget_overruns')
    .select(['seq', 'micro_usd'])
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', runId)
    .where('call_key', '=', callKey)
    .where('acknowledged_at', 'is', null)
    .orderBy('seq')
    .execute()
  let acknowledged = 0
  for (const { seq, micro_usd } of open) {
    const { rows } = await sql<{ done: boolean }>`select acknowledge_overrun(${tenantId}, ${runId},
      ${callKey}, ${seq}, ${actor}, ${reason}) as done`.execute(trx)
    if (!rows[0]?.done) continue
    acknowledged += 1
    await recordAct(trx, tenantId, {
      actor,
      action: 'overrun.acknowledged',
      subject: runId,
      detail: { callKey, seq, microUsd: micro_usd, reason },
    })
  }
  if (acknowledged === 0)
    throw new AlmanacError('NOT_FOUND', { what: `open overrun of the call ${callKey} of ${runId}` })
  return acknowledged
}

/**
 * Gives back the hold of a call whose answer was lost, because somebody knows that it was not billed;
 * audited with the reason. Throws NOT_FOUND, and STATE_CONFLICT when the call is not unknown.
 */
export async function releaseUnknownCall(
  db: Database,
  actor: string,
  { tenantId, runId, callKey }: CallName,
  reason: string,
): Promise<{ seq: number; microUsd: number }> {
  const calls = await db.withSystem('ledger', (trx) =>
    trx
      .selectFrom('engine_calls')
      .select(['seq', 'state', 'hold_micro_usd', 'hold_tokens'])
      .where('tenant_id', '=', tenantId)
      .where('run_id', '=', runId)
      .where('call_key', '=', callKey)
      .orderBy('seq', 'desc')
      .execute(),
  )
  const call = calls.find(({ state }) => state === 'unknown') ?? calls[0]
  if (!call) throw new AlmanacError('NOT_FOUND', { what: `call ${callKey} of ${runId}` })
  const { seq, hold_micro_usd: microUsd, hold_tokens: tokens } = call
  const closing = {
    tenantId,
    runId,
    callKey,
    seq,
    to: 'released' as const,
    reason,
    actor,
    auditId: newId('audit'),
    auditDetail: canonicalJson({ callKey, seq, microUsd, tokens, reason }),
  }
  const released = call.state === 'unknown' ? await closeCalls(db, [closing]) : 0
  if (released === 0)
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'call',
      state: call.state,
      allowed: 'unknown',
    })
  return { seq, microUsd }
}

/** The tenant of a run. For operators: takes a system transaction. Throws NOT_FOUND. */
export async function findRunTenant(trx: Trx, runId: RunId): Promise<TenantId> {
  const run = await trx
    .selectFrom('runs')
    .select('tenant_id')
    .where('id', '=', runId)
    .executeTakeFirst()
  if (!run) throw new AlmanacError('NOT_FOUND', { what: `run ${runId}` })
  return run.tenant_id
}
