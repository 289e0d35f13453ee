import type { BudgetAlertResource, RunId, TenantId } from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import {
  pageFrom,
  readCursor,
  readCursorInstant,
  writeCursor,
  type Page,
  type PageQuery,
} from './pages.ts'

interface AlertRow {
  at: Date
  name: string
  type: BudgetAlertResource['type']
  level: string
  subject: string
  period: string
  unit: 'micro_usd' | 'tokens'
  percent: number | null
  limit_amount: number | null
  run_id: RunId | null
  call_key: string | null
  micro_usd: number | null
  acknowledged_at: Date | null
}

/** Shares of limits that were reached, and overruns, newest first. */
export async function listBudgetAlerts(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor }: PageQuery,
): Promise<Page<BudgetAlertResource>> {
  const [at, name] = cursor === undefined ? [] : readCursor(cursor, 2)
  const before = at === undefined ? null : readCursorInstant(at)
  const { rows } = await sql<AlertRow>`
    select * from (
      select date_trunc('milliseconds', a.at) as at, concat_ws('/', level, subject, period, unit, percent, limit_amount) as name,
        case percent when 100 then 'budget.exhausted' else 'budget.nearing' end as type, level, subject,
        period, unit, percent, limit_amount, null::text as run_id, null::text as call_key,
        null::bigint as micro_usd, null::timestamptz as acknowledged_at
      from budget_alerts a where a.tenant_id = ${tenantId}
      union all
      select date_trunc('milliseconds', o.at), concat_ws('/', run_id, call_key, seq), 'budget.overrun', 'root', run_id, '',
        'micro_usd', null, null, run_id, call_key, micro_usd, acknowledged_at
      from budget_overruns o where o.tenant_id = ${tenantId}
    ) as x
    where ${before}::timestamptz is null or (x.at, x.name collate "C") < (${before}, ${name ?? ''} collate "C")
    order by x.at desc, x.name collate "C" desc limit ${limit + 1}`.execute(trx)
  return pageFrom(
    rows,
    limit,
    (row): BudgetAlertResource => ({
      type: row.type,
      at: row.at.toISOString(),
      level: row.level.replace('_', '/'),
      subject: row.subject,
      period: row.period === '' ? null : row.period,
      percent: row.percent,
      limit: row.limit_amount,
      unit: row.unit === 'tokens' ? 'tokens' : 'micro-USD',
      runId: row.run_id,
      callKey: row.call_key,
      microUsd: row.micro_usd,
      acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
    }),
    (row) => writeCursor(row.at.toISOString(), row.name),
  )
}
