import {
  sentence,
  type ErrorCode,
  type ErrorParams,
  type RunId,
  type StageName,
  type TenantId,
} from '@almanac/domain'
import { sql } from 'kysely'
import type { Trx } from './pool.ts'

/** A run that ends without success outside its stages, with the error that says why. */
export interface Ending<C extends ErrorCode = ErrorCode> {
  tenantId: TenantId
  runId: RunId
  stage: StageName
  to: 'failed' | 'blocked'
  code: C
  params: ErrorParams<C>
}

/** Ends runs that `trx` has locked: error, event, and the slot given back. */
export async function endRuns(trx: Trx, endings: readonly Ending[]): Promise<void> {
  if (endings.length === 0) return
  const rows = endings.map(({ tenantId, runId, stage, to, code, params }) => ({
    tenant: tenantId,
    run: runId,
    ended: to,
    code,
    params,
    detail: sentence(code, params),
    events: [{ type: `run.${to}`, data: { stage, code } }],
  }))
  await sql`select end_run(e.tenant, e.run, e.ended, e.code, e.params, e.detail, e.events)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e (tenant text, run text, ended text,
      code text, params jsonb, detail text, events jsonb)`.execute(trx)
}

/** An ending whose parameters fit its code. */
export const ending = <C extends ErrorCode>(value: Ending<C>): Ending<C> => value
