import type { RunId, TenantId } from '@almanac/domain'
import type { TestDatabase } from '../support/postgres.ts'
import type { HoldState } from './fault-table.ts'

/** One send of a root's calls, as stored. */
export interface RootSend {
  key: string
  seq: number
  state: HoldState | 'booked'
  reason: string | null
  workerId: string
  requestId: string | null
  requestHash: string
  estimated: boolean | null
  held: number
  cost: number
}

/** What is stored of the root of a refinement, past Row-Level Security. */
export interface RootFacts {
  tenantId: TenantId
  state: string
  code: string | null
  stopReason: string | null
  decay: number
  generations: { generation: number; merge: string | null; acts: number }[]
  variants: {
    generation: number
    ordinal: number
    state: string
    code: string | null
    cost: number | null
    crashes: number
  }[]
  versions: { id: string; score: number; depth: number; contentHash: string; packageHash: string }[]
  /** The version whose artifacts the run made. */
  made: string | null
  sends: RootSend[]
  /** Of the root's own level, in micro-USD. */
  budget: { held: number; spent: number; overrun: number } | null
}

/** Reads all of it in one statement, so that nothing moves between two parts of it. */
export async function rootFacts({ superuser }: TestDatabase, runId: RunId): Promise<RootFacts> {
  const [row] = await superuser<{ facts: RootFacts }>(statement, [runId])
  if (!row) throw new Error(`${runId} is not the root of a refinement`)
  return row.facts
}

const statement = `select jsonb_build_object(
  'tenantId', r.tenant_id, 'state', r.state, 'code', r.error_code, 'stopReason', o.stop_reason,
  'decay', (o.limits::jsonb -> 'decay')::float8,
  'generations', (select coalesce(jsonb_agg(jsonb_build_object('generation', g.generation,
      'merge', g.merge, 'acts', (select count(*) from audit_events a where a.subject = r.id
        and a.action = 'refinement.merged' and (a.detail::jsonb ->> 'generation')::integer = g.generation))
      order by g.generation), '[]') from generations g where g.run_id = r.id),
  'variants', (select coalesce(jsonb_agg(jsonb_build_object('generation', v.generation,
      'ordinal', v.ordinal, 'state', v.state, 'code', v.error_code, 'cost', v.cost_micro_usd,
      'crashes', v.crashes)
      order by v.generation, v.ordinal), '[]') from variants v where v.run_id = r.id),
  'versions', (select coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'score', v.score,
      'depth', v.depth, 'contentHash', v.content_hash, 'packageHash', v.package_hash)
      order by v.id), '[]') from versions v where v.run_id = r.id),
  'made', (select min(a.version_id::text) from artifacts a where a.run_id = r.id),
  'sends', (select coalesce(jsonb_agg(jsonb_build_object('key', c.call_key, 'seq', c.seq,
      'state', c.state, 'reason', c.reason, 'workerId', c.worker_id,
      'requestId', c.provider_request_id, 'requestHash', c.request_hash, 'estimated', c.estimated,
      'held', c.hold_micro_usd, 'cost', coalesce(c.cost_micro_usd, 0))
      order by c.call_key, c.seq), '[]') from engine_calls c where c.run_id = r.id),
  'budget', (select jsonb_build_object('held', b.held_micro_usd, 'spent', b.spent_micro_usd,
      'overrun', b.overrun_micro_usd) from budgets b where b.level = 'root' and b.subject = r.id)
) as facts
from runs r join refinement_roots o on o.tenant_id = r.tenant_id and o.run_id = r.id where r.id = $1`
