import {
  wasteKinds,
  type SpecificationId,
  type TenantId,
  type WasteKind,
  type WasteReport,
} from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from '../pool.ts'
import { billed, type DayRange } from './usage.ts'

interface Row {
  specification_id: SpecificationId | null
  specification_name: string | null
  kind: WasteKind | null
  calls: number
  cost: number
  /** Of all billed calls of the same specification, or of all. */
  of_all: number
}

/** Lines by specification at most; the sums by kind are of all. */
const mostLines = 500

/**
 * What was billed and brought nothing into a document; of one tenant, or, for operators in a system
 * transaction, of all. A variant of a generation that is not merged yet is not judged.
 */
export async function readWaste(
  trx: Trx,
  { tenantId, from, to }: DayRange & { tenantId: TenantId | null },
): Promise<WasteReport> {
  const { rows } = await sql<Row>`
    with calls as (
      select c.tenant_id, c.specification_id, coalesce(c.cost_micro_usd, 0) as cost, case
        when c.state = 'charged' then 'unknown'
        when r.state in ('failed', 'blocked', 'cancelled') then 'failed'
        when c.outcome <> 'completed' or c.output_hash is null then 'unusable'
        when v.state in ('failed', 'cancelled') then 'losing'
        when g.merged_at is not null and not (
          exists (select from versions m where m.tenant_id = g.tenant_id and m.id = g.merged_version_id
            and g.merge = 'accepted' and v.version_id = any (m.parents))
          or exists (select from refinement_roots o where o.tenant_id = v.tenant_id
            and o.run_id = v.run_id
            and o.bests @> jsonb_build_array(jsonb_build_object('id', v.version_id)))
        ) then 'losing'
        when c.cause in ('draft', 'phase', 'repair') and exists (select from engine_calls l
          where l.tenant_id = c.tenant_id and l.run_id = c.run_id and l.cause = 'repair'
            and l.state in ('settled', 'charged') and l.opened_at > c.opened_at) then 'repaired'
        end as kind
      from engine_calls c
      join runs r on r.tenant_id = c.tenant_id and r.id = c.run_id
      left join variants v on v.tenant_id = c.tenant_id and v.run_id = c.run_id
        and v.call_key = c.call_key
      left join generations g on g.tenant_id = v.tenant_id and g.run_id = v.run_id
        and g.generation = v.generation
      where ${billed({ tenantId, from, to })}
    ), by_specification as (
      select specification_id, min(tenant_id) as tenant_id, kind, count(*) as calls,
        sum(cost)::bigint as cost,
        (sum(sum(cost)) over (partition by specification_id))::bigint as of_all
      from calls group by specification_id, kind
    )
    (select null as specification_id, null as specification_name, kind, sum(calls)::bigint as calls,
      sum(cost)::bigint as cost, (sum(sum(cost)) over ())::bigint as of_all
    from by_specification group by kind)
    union all
    (select b.specification_id, s.name, b.kind, b.calls, b.cost, b.of_all from by_specification b
    join specifications s on s.tenant_id = b.tenant_id and s.id = b.specification_id
    where b.kind is not null order by b.cost desc, b.specification_id, b.kind limit ${mostLines})`.execute(
    trx,
  )
  const all = rows.filter((row) => row.specification_id === null)
  const total = {
    calls: all.reduce((sum, { calls }) => sum + calls, 0),
    costMicroUsd: all.reduce((sum, { cost }) => sum + cost, 0),
  }
  return {
    from,
    to,
    total,
    kinds: wasteKinds.map((kind) => {
      const row = all.find((one) => one.kind === kind)
      const costMicroUsd = row?.cost ?? 0
      const share = shareOf(costMicroUsd, total.costMicroUsd)
      return { kind, calls: row?.calls ?? 0, costMicroUsd, share }
    }),
    specifications: rows.flatMap(
      ({ specification_id, specification_name, kind, calls, cost, of_all }) =>
        specification_id === null || kind === null
          ? []
          : [
              {
                specificationId: specification_id,
                specificationName: specification_name ?? '',
                kind,
                calls,
                costMicroUsd: cost,
                share: shareOf(cost, of_all),
              },
            ],
    ),
  }
}

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
