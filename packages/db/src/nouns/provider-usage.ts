import type { RunId, TenantId } from '@almanac/domain'
import type { Trx } from '../pool.ts'
import { sql } from 'kysely'
import type { DayRange } from './usage.ts'

/** What a provider's billed calls of one day and model were, as we counted them. */
export interface ProviderUsage {
  day: string
  model: string
  calls: number
  inputTokens: number
  outputTokens: number
  costMicroUsd: number
}

/** A call whose answer was lost: whether the provider billed it, nobody told us. */
export interface LostCall {
  tenantId: TenantId
  runId: RunId
  callKey: string
  seq: number
  /** `unknown`: its hold is not among the costs; `charged`: all of it is. */
  state: 'unknown' | 'charged'
  day: string
  model: string
  holdMicroUsd: number
}

/** By day and model, in that order. For operators: takes a system transaction. */
export async function readProviderUsage(
  trx: Trx,
  provider: string,
  { from, to }: DayRange,
): Promise<ProviderUsage[]> {
  const { rows } = await sql<ProviderUsage>`
    select to_char(c.hold_day, 'YYYY-MM-DD') as day, coalesce(c.served_model, c.model) as model,
      count(*) as calls, coalesce(sum(c.input_tokens), 0)::bigint as "inputTokens",
      coalesce(sum(c.output_tokens), 0)::bigint as "outputTokens",
      coalesce(sum(c.cost_micro_usd), 0)::bigint as "costMicroUsd"
    from engine_calls c
    where c.provider = ${provider} and c.state in ('settled', 'charged')
      and c.hold_day between ${from}::date and ${to}::date
    group by 1, 2 order by 1, 2`.execute(trx)
  return rows
}

/** The calls of the days whose answers were lost, dearest first, at most 1,000. For operators. */
export async function listLostCalls(
  trx: Trx,
  provider: string,
  { from, to }: DayRange,
): Promise<LostCall[]> {
  const { rows } = await sql<LostCall>`
    select c.tenant_id as "tenantId", c.run_id as "runId", c.call_key as "callKey", c.seq, c.state,
      to_char(c.hold_day, 'YYYY-MM-DD') as day, c.model, c.hold_micro_usd as "holdMicroUsd"
    from engine_calls c
    where c.provider = ${provider} and c.state in ('unknown', 'charged')
      and c.hold_day between ${from}::date and ${to}::date
    order by c.hold_micro_usd desc, c.run_id, c.call_key, c.seq limit 1000`.execute(trx)
  return rows
}
