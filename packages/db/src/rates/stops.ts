import { AlmanacError, type TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { recordAct } from '../nouns/acts.ts'
import { recordOperatorAct } from '../operators/operator-acts.ts'

/** Whom a stop of spending stops. */
export type StopScope =
  | { scope: 'all' }
  | { scope: 'tenant'; tenantId: TenantId }
  /** A tenant's own, beside the one of operators: neither lifts the other. */
  | { scope: 'own'; tenantId: TenantId }
  | { scope: 'provider'; provider: string }

export interface SpendStop {
  scope: 'all' | 'tenant' | 'own' | 'provider'
  /** The tenant's id or the provider's name; '' for all. */
  subject: string
  reason: string
  stoppedBy: string
  stoppedAt: string
}

export const subjectOf = (stop: StopScope): string => {
  if (stop.scope === 'all') return ''
  return stop.scope === 'provider' ? stop.provider : stop.tenantId
}

/**
 * Stops spending; for operators. False when it was stopped before: the first reason stays. Every process
 * makes no new call within two seconds; calls under way end as they end, and are settled.
 */
export async function stopSpending(
  trx: Trx,
  stop: StopScope,
  by: string,
  reason: string,
): Promise<boolean> {
  const inserted = await trx
    .insertInto('spend_stops')
    .values({ scope: stop.scope, subject: subjectOf(stop), reason, stopped_by: by })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute()
  if (inserted.length > 0) await audit(trx, stop, by, 'spending.stopped', reason)
  return inserted.length > 0
}

/** Lifts a stop and queues the runs that nothing else stops; answers how many. Undefined: no such stop. */
export async function resumeSpending(
  trx: Trx,
  stop: StopScope,
  by: string,
): Promise<number | undefined> {
  const { numUpdatedRows } = await trx
    .updateTable('spend_stops')
    .set({ resumed_by: by, resumed_at: sql<Date>`now()` })
    .where('scope', '=', stop.scope)
    .where('subject', '=', subjectOf(stop))
    .where('resumed_at', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return undefined
  await audit(trx, stop, by, 'spending.resumed', '')
  return queueStopped(trx)
}

/** The stops in force, oldest first. */
export async function listStops(trx: Trx): Promise<SpendStop[]> {
  const rows = await trx
    .selectFrom('spend_stops')
    .select(['scope', 'subject', 'reason', 'stopped_by', 'stopped_at'])
    .where('resumed_at', 'is', null)
    .orderBy('id')
    .execute()
  return rows.map(({ stopped_by, stopped_at, ...row }) => ({
    ...row,
    stoppedBy: stopped_by,
    stoppedAt: stopped_at.toISOString(),
  }))
}

/** A provider and whether it is called: closed (it is), open (it is not), half_open (one call tries). */
export interface ProviderCircuit {
  provider: string
  state: 'closed' | 'open' | 'half_open'
  reason: string
  openedAt: string | null
  nextProbeAt: string | null
}

/** The circuits of all providers that were ever stopped. */
export async function listCircuits(trx: Trx): Promise<ProviderCircuit[]> {
  const rows = await trx
    .selectFrom('provider_circuits')
    .select(['provider', 'state', 'reason', 'opened_at', 'next_probe_at'])
    .orderBy('provider')
    .execute()
  return rows.map(({ opened_at, next_probe_at, ...row }) => ({
    ...row,
    openedAt: opened_at?.toISOString() ?? null,
    nextProbeAt: next_probe_at?.toISOString() ?? null,
  }))
}

/**
 * Closes a provider's circuit, for operators who settled its account; audited. Answers how many runs it
 * queued. Throws NOT_FOUND for a provider whose circuit is not open.
 */
export async function resumeProvider(trx: Trx, provider: string, by: string): Promise<number> {
  const { rows } = await sql<{
    closed: boolean
  }>`select close_circuit(${provider}, ${by}) as closed`.execute(trx)
  if (rows[0]?.closed !== true)
    throw new AlmanacError('NOT_FOUND', { what: `stopped provider "${provider}"` })
  await recordOperatorAct(trx, { actor: by, action: 'provider.resumed', subject: provider })
  return queueStopped(trx)
}

/** Runs that one pass queues; the sweep's next pass takes the next ones. */
const batch = 1_000

/** Queues the runs that nothing stops any more, and those that are to probe a provider. */
export async function queueStopped(trx: Trx): Promise<number> {
  const { rows } = await sql<{ n: number }>`select queue_stopped_runs(${batch}) as n`.execute(trx)
  return rows[0]?.n ?? 0
}

/** What a tenant may send a minute; null: no limit of its own. Audited with before and after. */
export async function writeTenantRates(
  trx: Trx,
  tenantId: TenantId,
  by: string,
  { requests, tokens }: { requests: number | null; tokens: number | null },
): Promise<void> {
  const before = await readTenantRates(trx, tenantId)
  const values = { requests_per_minute: requests, tokens_per_minute: tokens, set_by: by }
  await trx
    .insertInto('tenant_rates')
    .values({ tenant_id: tenantId, ...values })
    .onConflict((conflict) =>
      conflict.column('tenant_id').doUpdateSet({ ...values, set_at: sql`now()` }),
    )
    .execute()
  await recordAct(trx, tenantId, {
    actor: by,
    action: 'rates.changed',
    subject: tenantId,
    detail: { before, after: { requests, tokens } },
  })
}

export async function readTenantRates(
  trx: Trx,
  tenantId: TenantId,
): Promise<{ requests: number | null; tokens: number | null }> {
  const row = await trx
    .selectFrom('tenant_rates')
    .select(['requests_per_minute', 'tokens_per_minute'])
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return { requests: row?.requests_per_minute ?? null, tokens: row?.tokens_per_minute ?? null }
}

/** What stops or resumes one tenant stands in its audit, and what operators do in theirs. */
async function audit(
  trx: Trx,
  stop: StopScope,
  actor: string,
  action: 'spending.stopped' | 'spending.resumed',
  reason: string,
): Promise<void> {
  const detail = { reason }
  if (stop.scope === 'tenant' || stop.scope === 'own')
    await recordAct(trx, stop.tenantId, { actor, action, subject: stop.tenantId, detail })
  if (stop.scope === 'own') return
  const subject = stop.scope === 'all' ? 'all' : subjectOf(stop)
  await recordOperatorAct(trx, { actor, action, subject, detail: { scope: stop.scope, reason } })
}
