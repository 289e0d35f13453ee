import {
  AlmanacError,
  type Cadence,
  type Coverage,
  type PeriodResource,
  type SlotState,
  type SpecificationId,
  type TenantId,
} from '@almanac/domain'
import { periodFor } from '@almanac/domain/cadence'
import type { Selectable } from 'kysely'
import type { Trx } from '../pool.ts'
import type { SlotRows } from '../schema.ts'
import { recordAct } from './acts.ts'
import { isoOrNull } from './instants.ts'
import {
  pageFrom,
  readCursor,
  readCursorInstant,
  readCursorNumber,
  writeCursor,
  type Page,
  type PageQuery,
} from './pages.ts'

/** The ledger of a specification, newest window first. */
export async function listPeriods(
  trx: Trx,
  tenantId: TenantId,
  id: SpecificationId,
  { limit, cursor, state }: PageQuery & { state?: SlotState | undefined },
): Promise<Page<PeriodResource>> {
  let query = trx
    .selectFrom('slots')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('specification_id', '=', id)
  if (state) query = query.where('state', '=', state)
  if (cursor) {
    const [to = '', ordinal = ''] = readCursor(cursor, 2)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('window_to', 'ordinal'),
        '<',
        tuple(readCursorInstant(to), readCursorNumber(ordinal)),
      ),
    )
  }
  const rows = await query
    .orderBy('window_to', 'desc')
    .orderBy('ordinal', 'desc')
    .limit(limit + 1)
    .execute()
  return pageFrom(rows, limit, view, (row) =>
    writeCursor(row.window_to.toISOString(), String(row.ordinal)),
  )
}

/**
 * Adds one more slot to a period that was used, audited with its reason.
 * Throws STATE_CONFLICT when the period's plan was not used yet: it needs no grant.
 */
export async function grantPeriod(
  trx: Trx,
  tenantId: TenantId,
  actor: string,
  id: SpecificationId,
  body: { cadence: Cadence; coverage: Coverage; timeZone: string },
  { period, reason }: { period: string; reason: string },
): Promise<PeriodResource> {
  const now = new Date()
  const asked = { period, createdAt: now.toISOString(), lookBackDays: 1, now }
  const { periodKey } = periodFor({ ...body, coverage: 'closed' }, asked)
  const slots = await trx
    .selectFrom('slots')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('specification_id', '=', id)
    .where('period_key', '=', periodKey ?? period)
    .orderBy('ordinal', 'desc')
    .forUpdate()
    .execute()
  const [last] = slots
  if (!last || last.state !== 'consumed')
    throw new AlmanacError('STATE_CONFLICT', {
      what: 'period',
      state: last?.state ?? 'not used yet',
      allowed: 'consumed',
    })
  const granted = await trx
    .insertInto('slots')
    .values({
      tenant_id: tenantId,
      specification_id: id,
      period_key: last.period_key,
      ordinal: last.ordinal + 1,
      state: 'free',
      window_from: last.window_from,
      window_to: last.window_to,
      cadence: last.cadence,
      time_zone: last.time_zone,
      reason,
      granted_by: actor,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await recordAct(trx, tenantId, {
    actor,
    action: 'slot.granted',
    subject: id,
    detail: { periodKey: last.period_key, ordinal: granted.ordinal, reason },
  })
  return view(granted)
}

const view = (row: Selectable<SlotRows>): PeriodResource => ({
  periodKey: row.period_key,
  ordinal: row.ordinal,
  state: row.state,
  runId: row.run_id,
  from: row.window_from.toISOString(),
  to: row.window_to.toISOString(),
  timeZone: row.time_zone,
  cadence: row.cadence,
  dueAt: isoOrNull(row.due_at),
  retryAt: isoOrNull(row.retry_at),
  deadlineAt: isoOrNull(row.deadline_at),
  failures: row.failures,
  reason: row.reason,
})
