import { specification, type SpecificationId, type TenantId } from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { PeriodPlan, Scheduled, ScheduleStore } from '@almanac/pipeline'
import { sql } from 'kysely'
import { persist } from './group-calls.ts'
import type { Database, Trx } from './pool.ts'

interface DueRow {
  tenant_id: TenantId
  id: SpecificationId
  revision: number
  body: string
  activated_at: Date
  activated_by: string | null
  last_period_key: string | null
}

interface FreeRow {
  tenant_id: TenantId
  specification_id: SpecificationId
  period_key: string
  window_from: Date
  window_to: Date
  cadence: string
  time_zone: string
  due_at: Date
  deadline_at: Date | null
  state: string
  revision: number
  body: string
  activated_by: string | null
}

/** Schedules and their ledger of periods. A pass locks what it takes; others skip that. */
export function createSchedules(db: Database): ScheduleStore {
  return {
    takeDue: (now, limit, plan) =>
      persist(() =>
        db.withSystem('schedules', async (trx) => {
          const due = await lockDue(trx, now, limit)
          const plans = due.map((row) => ({ row, ...plan(toScheduled(row)) }))
          const runs = await enterPeriods(
            trx,
            plans.flatMap(({ row, periods }) => periods.map((period) => entryOf(period, row))),
          )
          await setNextDue(
            trx,
            plans.map(({ row, nextDueAt }) => ({
              tenant: row.tenant_id,
              specification: row.id,
              due: nextDueAt,
            })),
          )
          return { specifications: due.length, runs }
        }),
      ),

    retryFree: (now, limit) =>
      persist(() =>
        db.withSystem('schedules', async (trx) => {
          const free = await lockFree(trx, now, limit)
          const late = free.filter((row) => isOver(row, now))
          await markMissed(trx, late)
          const open = free.filter((row) => !isOver(row, now))
          const active = open.filter(({ state }) => state === 'active')
          await lookLater(
            trx,
            open.filter(({ state }) => state !== 'active'),
          )
          const retried = await enterPeriods(trx, active.map(retryOf))
          return { retried, missed: late.length }
        }),
      ),
  }
}

async function lockDue(trx: Trx, now: Date, limit: number): Promise<DueRow[]> {
  const { rows } = await sql<DueRow>`select s.tenant_id, s.id, s.revision, v.body,
      coalesce(s.activated_at, s.created_at) as activated_at, s.activated_by,
      (select l.period_key from slots l where l.tenant_id = s.tenant_id and l.specification_id = s.id
        and l.cadence = v.cadence and l.due_at is not null order by l.period_key desc limit 1) as last_period_key
    from specifications s
    join specification_revisions v on v.tenant_id = s.tenant_id and v.specification_id = s.id
      and v.revision = s.revision
    where s.state = 'active' and s.next_due_at <= ${now}
    order by s.next_due_at limit ${limit} for no key update of s skip locked`.execute(trx)
  return rows
}

const toScheduled = (row: DueRow): Scheduled => ({
  tenantId: row.tenant_id,
  specificationId: row.id,
  revision: row.revision,
  body: specification.parse(JSON.parse(row.body)),
  activatedAt: row.activated_at.toISOString(),
  lastPeriodKey: row.last_period_key,
})

type Entry = Omit<PeriodPlan, 'action'> & {
  runId: string | null
  lane: string
  requestedBy: string
}

function entryOf({ action, ...period }: PeriodPlan, { body, activated_by }: DueRow): Entry {
  return {
    ...period,
    runId: action === 'run' ? newId('run') : null,
    lane: specification.parse(JSON.parse(body)).lane,
    requestedBy: activated_by ?? 'system',
  }
}

const retryOf = (row: FreeRow): Entry => ({
  tenantId: row.tenant_id,
  specificationId: row.specification_id,
  revision: row.revision,
  periodKey: row.period_key,
  from: row.window_from.toISOString(),
  to: row.window_to.toISOString(),
  dueAt: row.due_at.toISOString(),
  deadlineAt: (row.deadline_at ?? row.due_at).toISOString(),
  cadence: row.cadence,
  timeZone: row.time_zone,
  reason: null,
  runId: newId('run'),
  lane: specification.parse(JSON.parse(row.body)).lane,
  requestedBy: row.activated_by ?? 'system',
})

async function enterPeriods(trx: Trx, entries: readonly Entry[]): Promise<number> {
  if (entries.length === 0) return 0
  const { rows } = await sql<{ queued: number }>`select enter_periods(
    ${JSON.stringify(entries)}::jsonb) as queued`.execute(trx)
  return rows[0]?.queued ?? 0
}

async function setNextDue(trx: Trx, next: readonly object[]): Promise<void> {
  await sql`update specifications s set next_due_at = n.due
    from jsonb_to_recordset(${JSON.stringify(next)}::jsonb)
      as n (tenant text, specification text, due timestamptz)
    where s.tenant_id = n.tenant and s.id = n.specification`.execute(trx)
}

async function lockFree(trx: Trx, now: Date, limit: number): Promise<FreeRow[]> {
  const { rows } = await sql<FreeRow>`select l.tenant_id, l.specification_id, l.period_key,
      l.window_from, l.window_to, l.cadence, l.time_zone, l.due_at, l.deadline_at,
      s.state, s.revision, s.activated_by, v.body
    from slots l
    join specifications s on s.tenant_id = l.tenant_id and s.id = l.specification_id
    join specification_revisions v on v.tenant_id = s.tenant_id and v.specification_id = s.id
      and v.revision = s.revision
    where l.state = 'free' and l.retry_at <= ${now} and l.due_at is not null and l.ordinal = 0
    order by l.retry_at limit ${limit} for no key update of l skip locked`.execute(trx)
  return rows
}

/** Past its deadline, or of a specification that gives each period one chance. */
const isOver = ({ deadline_at, body }: FreeRow, now: Date): boolean =>
  (deadline_at !== null && deadline_at <= now) ||
  !specification.parse(JSON.parse(body)).retryWithinPeriod

async function markMissed(trx: Trx, rows: readonly FreeRow[]): Promise<void> {
  await sql`update slots l set state = 'missed', retry_at = null, updated_at = now()
    ${whereIn(rows)}`.execute(trx)
}

/** A paused specification's period keeps its place until the deadline. */
async function lookLater(trx: Trx, rows: readonly FreeRow[]): Promise<void> {
  await sql`update slots l set retry_at = least(l.deadline_at, now() + interval '5 minutes')
    ${whereIn(rows)}`.execute(trx)
}

function whereIn(rows: readonly FreeRow[]) {
  const keys = rows.map(({ tenant_id, specification_id, period_key }) => ({
    tenant: tenant_id,
    specification: specification_id,
    period: period_key,
  }))
  return sql`from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb)
      as k (tenant text, specification text, period text)
    where l.tenant_id = k.tenant and l.specification_id = k.specification
      and l.period_key = k.period and l.ordinal = 0`
}
