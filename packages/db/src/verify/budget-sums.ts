import type { Access, Check, Findings, RowKey } from './check.ts'

/**
 * What every call holds and has spent. Open and unknown ones hold; settled ones have spent what they
 * cost, charged ones all that they held; released ones neither.
 */
const callSums = `select c.*,
    case when c.state in ('open', 'unknown') then c.hold_micro_usd else 0 end as held_usd,
    case when c.state in ('open', 'unknown') then c.hold_tokens else 0 end as held_tok,
    case when c.state in ('settled', 'charged') then coalesce(c.cost_micro_usd, 0) else 0 end as spent_usd,
    case c.state when 'settled' then coalesce(c.input_tokens + c.output_tokens, 0)
      when 'charged' then c.hold_tokens else 0 end as spent_tok,
    case c.state when 'settled' then greatest(0, coalesce(c.cost_micro_usd, 0) - c.hold_micro_usd)
      else 0 end as overrun_usd
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
        sum(spent_tok)::bigint as spent_tok, sum(overrun_usd)::bigint as overrun_usd
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
          'overrun_micro_usd', coalesce(b.overrun_micro_usd, 0)) as counted,
        jsonb_build_object('held_micro_usd', coalesce(s.held_usd, 0),
          'held_tokens', coalesce(s.held_tok, 0), 'spent_micro_usd', coalesce(s.spent_usd, 0),
          'spent_tokens', coalesce(s.spent_tok, 0),
          'overrun_micro_usd', coalesce(s.overrun_usd, 0)) as actual
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

function tell(findings: Findings, table: string, key: RowKey, { counted, actual }: Sums): void {
  for (const [column, sum] of Object.entries(actual))
    if (counted[column] !== sum)
      findings.problem(table, key, `${column} is ${counted[column]}, its calls make ${sum}`)
}
