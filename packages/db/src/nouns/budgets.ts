import {
  AlmanacError,
  type BudgetLimit,
  type BudgetResource,
  type Issue,
  type SpecificationId,
  type TenantId,
} from '@almanac/domain'
import { sql } from 'kysely'
import type { Database, Trx } from '../pool.ts'
import { recordAct } from './acts.ts'
import { pageFrom, readCursor, writeCursor, type Page, type PageQuery } from './pages.ts'

/** A limit as it was set, with what the present period has used already. */
export interface SetLimit {
  budget: BudgetResource
  /** Set when more is spent and held than the new limit allows: nothing more goes through. */
  passed: boolean
}

/**
 * Sets a limit, audited; the caller has made sure that the actor may. In force at once.
 * Throws NOT_FOUND, and INPUT_INVALID for a limit below what one run may need.
 */
export const setBudgetLimit = (
  db: Database,
  tenantId: TenantId,
  actor: string,
  limit: BudgetLimit,
): Promise<SetLimit> =>
  // Tenants may not write budget rows: these count money.
  db.withSystem('ledger', (trx) => writeLimit(trx, tenantId, actor, limit))

async function writeLimit(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  { level, specificationId, microUsd, tokens }: BudgetLimit,
): Promise<SetLimit> {
  await assertRoomForARun(trx, tenantId, { level, specificationId, microUsd, tokens })
  const stored = level.replace('/', '_')
  const subject = specificationId ?? tenantId
  const { rows } = await sql<{ used_micro_usd: number; used_tokens: number }>`
    select * from set_budget_limit(${tenantId}, ${stored}, ${subject}, ${microUsd}, ${tokens}, ${actor})
  `.execute(trx)
  await recordAct(trx, tenantId, {
    actor,
    action: 'budget.changed',
    subject,
    detail: { level, microUsd, tokens },
  })
  const [used] = rows
  const budget = (await budgetRows(trx, tenantId, { subject, level: stored }))[0]
  if (!budget) throw new Error(`the ${level} budget of ${subject} is not there after it was set`)
  return {
    budget: resource(budget),
    passed:
      (microUsd !== null && (used?.used_micro_usd ?? 0) > microUsd) ||
      (tokens !== null && (used?.used_tokens ?? 0) > tokens),
  }
}

/** A limit must leave room for one run: that of the specification, or the smallest of the active ones. */
async function assertRoomForARun(
  trx: Trx,
  tenantId: TenantId,
  { specificationId, microUsd, tokens }: BudgetLimit,
): Promise<void> {
  let query = trx
    .selectFrom('specifications as s')
    .innerJoin('specification_revisions as r', (join) =>
      join
        .onRef('r.tenant_id', '=', 's.tenant_id')
        .onRef('r.specification_id', '=', 's.id')
        .onRef('r.revision', '=', 's.revision'),
    )
    .where('s.tenant_id', '=', tenantId)
    .select([
      's.id',
      sql<number>`(r.body::jsonb -> 'budget' ->> 'microUsd')::bigint`.as('microUsd'),
      sql<number>`(r.body::jsonb -> 'budget' ->> 'tokens')::bigint`.as('tokens'),
    ])
    .orderBy('microUsd')
  query = specificationId
    ? query.where('s.id', '=', specificationId)
    : query.where('s.state', '=', 'active')
  const specifications = await query.execute()
  if (specificationId && specifications.length === 0)
    throw new AlmanacError('NOT_FOUND', { what: `specification ${specificationId}` })

  const issues: Issue[] = []
  const check = (field: 'microUsd' | 'tokens', limit: number | null, unit: string) => {
    const [least] = [...specifications].sort((a, b) => a[field] - b[field])
    if (limit === null || !least || limit >= least[field]) return
    issues.push({
      field,
      message: `must be at least ${least[field]} ${unit}, which is what one run of ${least.id} may need`,
      value: String(limit),
    })
  }
  check('microUsd', microUsd, 'micro-USD')
  check('tokens', tokens, 'tokens')
  if (issues.length > 0) throw new AlmanacError('INPUT_INVALID', { issues })
}

interface BudgetRow {
  level: 'specification' | 'tenant_day' | 'tenant_month'
  subject: string
  period: string
  limit_micro_usd: number | null
  limit_tokens: number | null
  held_micro_usd: number
  held_tokens: number
  spent_micro_usd: number
  spent_tokens: number
  overrun_micro_usd: number
  overrun_tokens: number
  blocked: number
}

/** The budgets of the present periods, limited or used, in the order tenant, then specifications. */
async function budgetRows(
  trx: Trx,
  tenantId: TenantId,
  {
    subject,
    level,
    after = '',
    limit = 1,
  }: {
    subject?: string
    level?: string
    after?: string
    limit?: number
  },
): Promise<BudgetRow[]> {
  const { rows } = await sql<BudgetRow>`
    select k.level, k.subject, k.period, coalesce(b.limit_micro_usd, l.limit_micro_usd) as limit_micro_usd,
      coalesce(b.limit_tokens, l.limit_tokens) as limit_tokens,
      coalesce(b.held_micro_usd, 0) as held_micro_usd, coalesce(b.held_tokens, 0) as held_tokens,
      coalesce(b.spent_micro_usd, 0) as spent_micro_usd, coalesce(b.spent_tokens, 0) as spent_tokens,
      coalesce(b.overrun_micro_usd, 0) as overrun_micro_usd,
      coalesce(b.overrun_tokens, 0) as overrun_tokens, coalesce(b.blocked, 0) as blocked
    from (
      select '1' as name, 'tenant_day' as level, ${tenantId} as subject,
        to_char(now() at time zone 'utc', 'YYYY-MM-DD') as period
      union all
      select '2', 'tenant_month', ${tenantId}, to_char(now() at time zone 'utc', 'YYYY-MM')
      union all
      select s.id, 'specification', s.id, '' from specifications s where s.tenant_id = ${tenantId}
    ) as k
    left join budgets b on b.tenant_id = ${tenantId} and b.level = k.level and b.subject = k.subject
      and b.period = k.period
    left join budget_limits l on l.tenant_id = ${tenantId} and l.level = k.level and l.subject = k.subject
    where k.name collate "C" > ${after} and (k.level <> 'specification' or b.subject is not null)
      and (${subject ?? null}::text is null or k.subject = ${subject ?? null})
      and (${level ?? null}::text is null or k.level = ${level ?? null})
    order by k.name collate "C" limit ${limit}`.execute(trx)
  return rows
}

const resource = (row: BudgetRow): BudgetResource => ({
  level: levelName(row.level),
  specificationId: row.level === 'specification' ? (row.subject as SpecificationId) : null,
  period: row.period === '' ? null : row.period,
  limit: { microUsd: row.limit_micro_usd, tokens: row.limit_tokens },
  held: { microUsd: row.held_micro_usd, tokens: row.held_tokens },
  spent: { microUsd: row.spent_micro_usd, tokens: row.spent_tokens },
  overrun: { microUsd: row.overrun_micro_usd, tokens: row.overrun_tokens },
  blocked: row.blocked > 0,
})

const levelName = (level: BudgetRow['level']): BudgetResource['level'] =>
  level === 'tenant_day' ? 'tenant/day' : level === 'tenant_month' ? 'tenant/month' : level

/** The tenant's budgets: its day and month, then those of specifications that are limited or used. */
export async function listBudgets(
  trx: Trx,
  tenantId: TenantId,
  { limit, cursor }: PageQuery,
): Promise<Page<BudgetResource>> {
  const [after = ''] = cursor === undefined ? [] : readCursor(cursor, 1)
  const rows = await budgetRows(trx, tenantId, { after, limit: limit + 1 })
  const names = { tenant_day: '1', tenant_month: '2' }
  return pageFrom(rows, limit, resource, ({ level, subject }) =>
    writeCursor(level === 'specification' ? subject : names[level]),
  )
}
