import { AlmanacError, runId } from '@almanac/domain'
import type { SlotClaim, Slots } from '@almanac/pipeline'
import { sql } from 'kysely'
import type { Database } from './pool.ts'

interface Row {
  outcome: 'claimed' | 'taken' | 'in_progress' | 'covered' | 'no_grant' | 'not_running'
  claimant: string | null
  until: Date | null
}

/**
 * The right to one success of a period.
 *
 *   (none) ─▶ reserved ─▶ consumed           a run claims it, and succeeds
 *               │  ▲
 *               ▼  │
 *              free | missed | skipped        the run ended otherwise; or no run came, or none was to
 *
 * Ordinal 0 is made by the first claim, higher ones by a grant.
 */
export function createSlots(db: Database): Slots {
  return {
    async claim({ run, periodKey, cadence, timeZone, from, to }): Promise<SlotClaim> {
      const { tenantId, id, specificationId, ordinal } = run
      const [row] = await db.queryTenant(
        sql<Row>`select * from claim_slot(${tenantId}, ${id}, ${specificationId}, ${periodKey},
          ${ordinal}, ${cadence}, ${timeZone}, ${from}::timestamptz, ${to}::timestamptz)`,
      )
      if (!row) throw new Error('a claim was not answered')
      const { outcome, claimant, until } = row
      switch (outcome) {
        case 'claimed':
          return { claimed: true }
        case 'taken':
        case 'in_progress':
          return { claimed: false, because: outcome, by: runId.parse(claimant) }
        case 'covered':
          return {
            claimed: false,
            because: 'covered',
            by: claimant ?? '',
            until: until?.toISOString() ?? '',
          }
        case 'no_grant':
          throw new AlmanacError('NOT_FOUND', {
            what: `grant ${ordinal} for period ${periodKey}`,
          })
        case 'not_running':
          throw new AlmanacError('STATE_CONFLICT', {
            what: 'run',
            state: claimant ?? 'gone',
            allowed: 'running',
          })
      }
    },
  }
}
