import {
  AlmanacError,
  type SpecificationId,
  type TenantId,
  type UsageDimension,
  type UsageGroup,
  type UsageSums,
} from '@almanac/domain'
import { sql, type RawBuilder } from 'kysely'
import type { Trx } from '../pool.ts'
import { pageFrom, readCursor, writeCursor } from './pages.ts'

/** UTC days, both included. */
export interface DayRange {
  from: string
  to: string
}

export interface UsageQuery extends DayRange {
  /** Of one tenant, or, for operators in a system transaction, of all. */
  tenantId: TenantId | null
  groupBy: readonly (UsageDimension | 'tenant')[]
  specificationId?: SpecificationId | undefined
  /** Groups a page. */
  limit: number
  cursor?: string | undefined
}

export type TenantUsage = UsageGroup & { tenantId?: TenantId }

export interface UsagePage {
  data: TenantUsage[]
  nextCursor: string | null
  /** Of all groups. */
  total: UsageSums
}

const dimensions = {
  tenant: { key: 'c.tenant_id', field: 'tenantId' },
  specification: { key: 'c.specification_id', field: 'specificationId' },
  run: { key: 'c.run_id', field: 'runId' },
  stage: { key: 'c.stage', field: 'stage' },
  cause: { key: 'c.cause', field: 'cause' },
  provider: { key: 'c.provider', field: 'provider' },
  // What was served; of an answer that was lost, what was asked.
  model: { key: 'coalesce(c.served_model, c.model)', field: 'model' },
  day: { key: `to_char(c.hold_day, 'YYYY-MM-DD')`, field: 'day' },
  month: { key: `to_char(c.hold_month, 'YYYY-MM')`, field: 'month' },
} as const satisfies Record<string, { key: string; field: keyof TenantUsage }>

interface SumColumns {
  calls: number
  charged_calls: number
  estimated_calls: number
  cost: number
  overrun: number
  input_tokens: number
  cached_input_tokens: number
  output_tokens: number
  tokens: number
}

type Row = {
  keys: string[]
  specification_name: string | null
  groups: SumColumns
  all: SumColumns
}

/**
 * What the billed calls of the days cost, by group in the order of the groups: exactly what the budgets
 * of those days, months, specifications and runs count as spent. Throws INPUT_INVALID for a cursor.
 */
export async function readUsage(
  trx: Trx,
  { tenantId, groupBy, limit, cursor, ...filter }: UsageQuery,
): Promise<UsagePage> {
  const named = groupBy.map((dimension) => dimensions[dimension])
  const keys = sql.join(named.map(({ key }) => sql`${sql.raw(key)}::text collate "C"`))
  const after = cursor === undefined ? null : readCursor(cursor, named.length)
  const specification = groupBy.indexOf('specification') + 1
  const { rows } = await sql<Row | { keys: null; all: SumColumns }>`
    with groups as (
      select array[${keys}] as keys, min(c.tenant_id) as tenant_id, ${sums}
      from engine_calls c where ${billed({ tenantId, ...filter })} group by 1
    ), totals as (
      select ${sql.join(sumNames.map((name) => sql`coalesce(sum(${sql.ref(name)}), 0)::bigint as ${sql.ref(name)}`))}
      from groups
    )
    select to_jsonb(t) as all, g.keys, to_jsonb(g) as groups, g.specification_name
    from totals t left join lateral (
      select g.*, s.name as specification_name from groups g
      left join specifications s on s.tenant_id = g.tenant_id and s.id = g.keys[${specification}]
      where ${after}::text[] is null or g.keys > (${after}::text[] collate "C")
      order by g.keys limit ${limit + 1}
    ) as g on true order by g.keys`.execute(trx)
  const groups = rows.filter((row): row is Row => row.keys !== null)
  const page = pageFrom(
    groups,
    limit,
    (row): TenantUsage => ({
      ...Object.fromEntries(named.map(({ field }, i) => [field, row.keys[i]])),
      ...(specification > 0 ? { specificationName: row.specification_name ?? '' } : {}),
      ...sumsOf(row.groups),
    }),
    (row) => writeCursor(...row.keys),
  )
  const [first] = rows
  if (!first) throw new Error('a sum of usage has no total')
  return { ...page, total: sumsOf(first.all) }
}

/** All groups at once, at most `most`. Throws INPUT_INVALID when there are more. */
export async function readAllUsage(
  trx: Trx,
  query: Omit<UsageQuery, 'limit' | 'cursor'>,
  most: number,
): Promise<UsagePage> {
  const page = await readUsage(trx, { ...query, limit: most })
  if (page.nextCursor === null) return page
  const message = `makes more than ${most} rows: ask for fewer days, or group by less`
  throw new AlmanacError('INPUT_INVALID', {
    issues: [{ field: 'query.groupBy', message, value: query.groupBy.join(',') }],
  })
}

/** The calls that were billed: settled ones, and lost ones that were charged in full. */
export const billed = ({
  tenantId,
  from,
  to,
  specificationId,
}: Pick<UsageQuery, 'tenantId' | 'from' | 'to' | 'specificationId'>): RawBuilder<boolean> =>
  sql<boolean>`c.state in ('settled', 'charged') and c.hold_day between ${from}::date and ${to}::date
    and ${tenantId === null ? sql`true` : sql`c.tenant_id = ${tenantId}`}
    and ${specificationId === undefined ? sql`true` : sql`c.specification_id = ${specificationId}`}`

const sumNames = [
  ...['calls', 'charged_calls', 'estimated_calls', 'cost', 'overrun'],
  ...['input_tokens', 'cached_input_tokens', 'output_tokens', 'tokens'],
] as const

/** As `close_calls` counts them in budgets. */
const sums = sql.raw(`count(*) as calls,
  count(*) filter (where c.state = 'charged') as charged_calls,
  count(*) filter (where c.estimated) as estimated_calls,
  coalesce(sum(c.cost_micro_usd), 0)::bigint as cost,
  coalesce(sum(greatest(0, c.cost_micro_usd - c.hold_micro_usd)), 0)::bigint as overrun,
  coalesce(sum(c.input_tokens), 0)::bigint as input_tokens,
  coalesce(sum(c.cached_input_tokens), 0)::bigint as cached_input_tokens,
  coalesce(sum(c.output_tokens), 0)::bigint as output_tokens,
  coalesce(sum(case c.state when 'charged' then c.hold_tokens
    else c.input_tokens + c.output_tokens end), 0)::bigint as tokens`)

const sumsOf = (row: SumColumns): UsageSums => ({
  calls: row.calls,
  chargedCalls: row.charged_calls,
  estimatedCalls: row.estimated_calls,
  costMicroUsd: row.cost,
  overrunMicroUsd: row.overrun,
  inputTokens: row.input_tokens,
  cachedInputTokens: row.cached_input_tokens,
  outputTokens: row.output_tokens,
  tokens: row.tokens,
})
