import { sql } from 'kysely'
import { recordOperatorAct } from '../operators/operator-acts.ts'
import type { Trx } from '../pool.ts'

/** A provider's day: the installation's own budget. */
export interface ProviderBudgetView {
  provider: string
  day: string
  limitMicroUsd: number | null
  heldMicroUsd: number
  spentMicroUsd: number
  overrunMicroUsd: number
  blocked: boolean
}

/** Sets the limit of a provider's days, audited; null is none. For operators: takes a system transaction. */
export async function setProviderLimit(
  trx: Trx,
  actor: string,
  provider: string,
  microUsd: number | null,
): Promise<{ usedMicroUsd: number; passed: boolean }> {
  const { rows } = await sql<{ used_micro_usd: number }>`
    select * from set_provider_limit(${provider}, ${microUsd}, ${actor})`.execute(trx)
  const detail = { limitMicroUsd: microUsd }
  await recordOperatorAct(trx, { actor, action: 'provider.limited', subject: provider, detail })
  const usedMicroUsd = rows[0]?.used_micro_usd ?? 0
  return { usedMicroUsd, passed: microUsd !== null && usedMicroUsd > microUsd }
}

/** The present day of every provider that is limited or used. For operators. */
export async function listProviderBudgets(trx: Trx): Promise<ProviderBudgetView[]> {
  const rows = await trx
    .selectFrom('provider_budgets')
    .selectAll()
    .where('day', '=', sql<string>`(now() at time zone 'utc')::date`)
    .orderBy('provider')
    .execute()
  return rows.map((row) => ({
    provider: row.provider,
    day: row.day,
    limitMicroUsd: row.limit_micro_usd,
    heldMicroUsd: row.held_micro_usd,
    spentMicroUsd: row.spent_micro_usd,
    overrunMicroUsd: row.overrun_micro_usd,
    blocked: row.blocked > 0,
  }))
}
