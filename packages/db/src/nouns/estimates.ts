import type { EstimateResource, SpecificationId, TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'

interface Amounts {
  microUsd: number
  tokens: number
}

/** What earlier runs cost: the 10th percentile, the median, and the 90th, of `runs` runs. */
export interface PastCost {
  runs: number
  low: Amounts
  expected: Amounts
  high: Amounts
}

interface PastRow {
  runs: number
  usd: number[] | null
  tok: number[] | null
}

/** Periods of a specification that are looked back on, and kindred specifications, newest first. */
const [mostPeriods, mostKindred] = [12, 50]

/** The specification's own runs of its last 12 periods; undefined when none of them was settled. */
export const readOwnCost = (
  trx: Trx,
  tenantId: TenantId,
  specificationId: SpecificationId,
): Promise<PastCost | undefined> => readPastCost(trx, tenantId, [specificationId])

/** Those of the tenant's other specifications of the same kind and industry. */
export async function readKindredCost(
  trx: Trx,
  tenantId: TenantId,
  specificationId: SpecificationId,
): Promise<PastCost | undefined> {
  const { rows } = await sql<{ id: SpecificationId }>`
    select s.id from specifications own
    join specification_revisions mine on mine.tenant_id = own.tenant_id
      and mine.specification_id = own.id and mine.revision = own.revision
    join specifications s on s.tenant_id = own.tenant_id and s.kind = own.kind and s.id <> own.id
    join specification_revisions r on r.tenant_id = s.tenant_id and r.specification_id = s.id
      and r.revision = s.revision
    where own.tenant_id = ${tenantId} and own.id = ${specificationId}
      and r.body::jsonb ->> 'industry' is not distinct from mine.body::jsonb ->> 'industry'
    order by s.id desc limit ${mostKindred}`.execute(trx)
  return readPastCost(
    trx,
    tenantId,
    rows.map(({ id }) => id),
  )
}

/**
 * Runs that began at the beginning and ended by themselves, with every call settled. One that failed
 * before its first call says nothing of what a run costs.
 */
async function readPastCost(
  trx: Trx,
  tenantId: TenantId,
  specificationIds: readonly SpecificationId[],
): Promise<PastCost | undefined> {
  if (specificationIds.length === 0) return undefined
  const { rows } = await sql<PastRow>`
    with past as (
      select r.id, r.state, dense_rank() over (partition by r.specification_id
        order by coalesce(r.period_key, r.id) collate "C" desc) as age
      from runs r where r.tenant_id = ${tenantId} and r.specification_id = any (${[...specificationIds]})
        and r.state in ('succeeded', 'failed') and not r.test and r.origin is null and r.narrow is null
    ), costs as (
      select p.id, coalesce(sum(c.cost_micro_usd), 0)::bigint as usd,
        coalesce(sum(case c.state when 'charged' then c.hold_tokens
          else c.input_tokens + c.output_tokens end), 0)::bigint as tok
      from past p left join engine_calls c on c.tenant_id = ${tenantId} and c.run_id = p.id
      where p.age <= ${mostPeriods}
      group by p.id, p.state
      having coalesce(bool_and(c.state in ('settled', 'charged', 'released')), true)
        and (p.state = 'succeeded' or bool_or(c.state in ('settled', 'charged')))
    )
    select count(*) as runs,
      percentile_disc(array[0.1, 0.5, 0.9]) within group (order by usd)::float8[] as usd,
      percentile_disc(array[0.1, 0.5, 0.9]) within group (order by tok)::float8[] as tok
    from costs`.execute(trx)
  const [row] = rows
  if (!row || row.usd === null || row.tok === null) return undefined
  const at = (i: number): Amounts => ({ microUsd: row.usd?.[i] ?? 0, tokens: row.tok?.[i] ?? 0 })
  return { runs: row.runs, low: at(0), expected: at(1), high: at(2) }
}

/** What a budget of the tenant has left now, before any new hold. */
export interface BudgetRoom {
  level: Exclude<EstimateResource['short'][number]['level'], 'root'>
  /** Null: no limit. */
  left: { microUsd: number | null; tokens: number | null }
  /** Whether an overrun that nobody has acknowledged keeps calls out. */
  blocked: boolean
}

interface RoomRow {
  level: 'specification' | 'tenant_day' | 'tenant_month'
  left_usd: number | null
  left_tok: number | null
  blocked: boolean
}

/** The room at the levels that a run's calls count at, beside the run's own. */
export async function readBudgetRoom(
  trx: Trx,
  tenantId: TenantId,
  specificationId: SpecificationId,
): Promise<BudgetRoom[]> {
  const { rows } = await sql<RoomRow>`
    select k.level, coalesce(b.blocked, 0) > 0 as blocked,
      coalesce(b.limit_micro_usd, l.limit_micro_usd) - coalesce(b.held_micro_usd + b.spent_micro_usd, 0)
        as left_usd,
      coalesce(b.limit_tokens, l.limit_tokens) - coalesce(b.held_tokens + b.spent_tokens, 0) as left_tok
    from (values (1, 'specification', ${specificationId}, ''),
      (2, 'tenant_day', ${tenantId}, to_char(now() at time zone 'utc', 'YYYY-MM-DD')),
      (3, 'tenant_month', ${tenantId}, to_char(now() at time zone 'utc', 'YYYY-MM'))
    ) as k (rank, level, subject, period)
    left join budgets b on b.tenant_id = ${tenantId} and b.level = k.level and b.subject = k.subject
      and b.period = k.period
    left join budget_limits l on l.tenant_id = ${tenantId} and l.level = k.level
      and l.subject = k.subject
    order by k.rank`.execute(trx)
  const names = {
    specification: 'specification',
    tenant_day: 'tenant/day',
    tenant_month: 'tenant/month',
  } as const
  return rows.map(({ level, left_usd, left_tok, blocked }) => ({
    level: names[level],
    left: { microUsd: left_usd, tokens: left_tok },
    blocked,
  }))
}
