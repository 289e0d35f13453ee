import type { Access, Check, Findings, RowKey } from './check.ts'

/**
 * What every call holds and has spent. Booked, open and unknown ones hold; settled ones have spent what they
 * cost, charged ones all that they held; released ones neither.
 */
const callSums = `select c.*,
    case when c.state in ('booked', 'open', 'unknown') then c.hold_micro_usd else 0 end as held_usd,
    case when c.state in ('booked', 'open', 'unknown') then c.hold_tokens else 0 end as held_tok,
    case when c.state in ('settled', 'charged') then coalesce(c.cost_micro_usd, 0) else 0 end as spent_usd,
    case c.state when 'settled' then coalesce(c.input_tokens + c.output_tokens, 0)
      when 'charged' then c.hold_tokens else 0 end as spent_tok,
    case c.state when 'settled' then greatest(0, coalesce(c.cost_micro_usd, 0) - c.hold_micro_usd)
      else 0 end as overrun_usd,
    case c.state when 'settled'
      then greatest(0, coalesce(c.input_tokens + c.output_tokens, 0) - c.hold_tokens)
      else 0 end as overrun_tok,
    case when c.cause = 'repair' and c.state <> 'released' then c.hold_micro_usd else 0 end as repaired_usd,
    case when c.cause = 'repair' and c.state <> 'released' then c.hold_tokens else 0 end as repaired_tok
  from engine_calls c`

/** P3: what budgets count is what their calls hold and have spent, to the micro-USD and token. */
export const budgetSums: Check = {
  promise: 'P3',
  name: 'every budget counts exactly what its calls hold and have spent',
  unit: 'engine calls and budgets',
  async run(access, findings) {
    const [counted] = await access.snapshot.query<{ rows: number }>(
      `select (select count(*) from engine_calls) + (select count(*) from budgets)
        + (select count(*) from provider_budgets) as rows`,
    )
    findings.rows(counted?.rows ?? 0)
    await compareTenants(access, findings)
    await compareProviders(access, findings)
    await compareRoots(access, findings)
    await compareBlocks(access, findings)
  },
}

interface Sums {
  counted: Record<string, number>
  actual: Record<string, number>
}

async function compareTenants({ snapshot }: Access, findings: Findings): Promise<void> {
  type Key = { tenant_id: string; level: string; subject: string; period: string }
  const rows = snapshot.each<Key & Sums>(
    `with calls as (${callSums}), sums as (
      select c.tenant_id, k.level, k.subject, k.period, sum(held_usd)::bigint as held_usd,
        sum(held_tok)::bigint as held_tok, sum(spent_usd)::bigint as spent_usd,
        sum(spent_tok)::bigint as spent_tok, sum(overrun_usd)::bigint as overrun_usd,
        sum(overrun_tok)::bigint as overrun_tok,
        sum(case k.level when 'root' then repaired_usd else 0 end)::bigint as repaired_usd,
        sum(case k.level when 'root' then repaired_tok else 0 end)::bigint as repaired_tok
      from calls c, lateral (values ('root', c.run_id::text, ''),
        ('specification', c.specification_id::text, ''),
        ('tenant_day', c.tenant_id::text, to_char(c.hold_day, 'YYYY-MM-DD')),
        ('tenant_month', c.tenant_id::text, to_char(c.hold_month, 'YYYY-MM'))
      ) as k (level, subject, period)
      group by 1, 2, 3, 4
    ), compared as (
      select tenant_id, level, subject, period,
        jsonb_build_object('held_micro_usd', coalesce(b.held_micro_usd, 0),
          'held_tokens', coalesce(b.held_tokens, 0), 'spent_micro_usd', coalesce(b.spent_micro_usd, 0),
          'spent_tokens', coalesce(b.spent_tokens, 0),
          'overrun_micro_usd', coalesce(b.overrun_micro_usd, 0),
          'overrun_tokens', coalesce(b.overrun_tokens, 0),
          'repaired_micro_usd', coalesce(b.repaired_micro_usd, 0),
          'repaired_tokens', coalesce(b.repaired_tokens, 0)) as counted,
        jsonb_build_object('held_micro_usd', coalesce(s.held_usd, 0),
          'held_tokens', coalesce(s.held_tok, 0), 'spent_micro_usd', coalesce(s.spent_usd, 0),
          'spent_tokens', coalesce(s.spent_tok, 0),
          'overrun_micro_usd', coalesce(s.overrun_usd, 0),
          'overrun_tokens', coalesce(s.overrun_tok, 0),
          'repaired_micro_usd', coalesce(s.repaired_usd, 0),
          'repaired_tokens', coalesce(s.repaired_tok, 0)) as actual
      from budgets b full join sums s using (tenant_id, level, subject, period)
    ) select * from compared where counted <> actual`,
  )
  for await (const { counted, actual, ...key } of rows)
    tell(findings, 'budgets', key, { counted, actual })
}

async function compareProviders({ snapshot }: Access, findings: Findings): Promise<void> {
  const rows = snapshot.each<{ provider: string; day: string } & Sums>(
    `with calls as (${callSums}), sums as (
      select provider, hold_day as day, sum(held_usd)::bigint as held_usd,
        sum(spent_usd)::bigint as spent_usd, sum(overrun_usd)::bigint as overrun_usd
      from calls group by 1, 2
    ), compared as (
      select provider, day,
        jsonb_build_object('held_micro_usd', coalesce(b.held_micro_usd, 0),
          'spent_micro_usd', coalesce(b.spent_micro_usd, 0),
          'overrun_micro_usd', coalesce(b.overrun_micro_usd, 0)) as counted,
        jsonb_build_object('held_micro_usd', coalesce(s.held_usd, 0),
          'spent_micro_usd', coalesce(s.spent_usd, 0),
          'overrun_micro_usd', coalesce(s.overrun_usd, 0)) as actual
      from provider_budgets b full join sums s using (provider, day)
    ) select * from compared where counted <> actual`,
  )
  for await (const { counted, actual, ...key } of rows)
    tell(findings, 'provider_budgets', key, { counted, actual })
}

/**
 * A run's own limit never changes, so it can be held against what was admitted: what was spent and is held,
 * without what calls cost above their holds. People may set the other limits below what is spent.
 */
async function compareRoots({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = { tenant_id: string; subject: string; admitted: number; most: number; unit: string }
  const rows = snapshot.each<Row>(
    `select b.tenant_id, b.subject, u.admitted, u.most, u.unit from budgets b cross join lateral (values
      ('micro-USD', b.spent_micro_usd + b.held_micro_usd - b.overrun_micro_usd, b.limit_micro_usd),
      ('tokens', b.spent_tokens + b.held_tokens - b.overrun_tokens, b.limit_tokens)
    ) as u (unit, admitted, most) where b.level = 'root' and u.admitted > u.most`,
  )
  for await (const { tenant_id, subject, admitted, most, unit } of rows)
    findings.problem(
      'budgets',
      { tenant_id, level: 'root', subject, period: '' },
      `${admitted} ${unit} were admitted, its limit is ${most}`,
    )
}

/** A budget is blocked as often as overruns that nobody has acknowledged say that they block it. */
async function compareBlocks({ snapshot }: Access, findings: Findings): Promise<void> {
  type Row = {
    tenant_id: string
    level: string
    subject: string
    period: string
    n: number
    open: number
  }
  const rows = snapshot.each<Row>(
    `with open as (
      select o.tenant_id, k.level, k.subject, k.period, count(*)::integer as n
      from budget_overruns o, lateral (values ('root', o.run_id::text, ''),
        ('specification', o.specification_id::text, ''),
        ('tenant_day', o.tenant_id::text, to_char(o.hold_day, 'YYYY-MM-DD')),
        ('tenant_month', o.tenant_id::text, to_char(o.hold_day, 'YYYY-MM'))
      ) as k (level, subject, period)
      where o.acknowledged_at is null and k.level = any (o.blocks) group by 1, 2, 3, 4
    )
    select tenant_id, level, subject, period, coalesce(b.blocked, 0) as n, coalesce(o.n, 0) as open
    from budgets b full join open o using (tenant_id, level, subject, period)
    where coalesce(b.blocked, 0) <> coalesce(o.n, 0)`,
  )
  for await (const { n, open, ...key } of rows)
    findings.problem('budgets', key, `${n} overruns block it, ${open} say so`)
}

function tell(findings: Findings, table: string, key: RowKey, { counted, actual }: Sums): void {
  for (const [column, sum] of Object.entries(actual))
    if (counted[column] !== sum)
      findings.problem(table, key, `${column} is ${counted[column]}, its calls make ${sum}`)
}
