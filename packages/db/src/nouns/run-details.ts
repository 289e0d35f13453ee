import {
  AlmanacError,
  finding,
  stageNames,
  type EventResource,
  type Finding,
  type Json,
  type RunId,
  type StageName,
  type TenantId,
} from '@almanac/domain'
import { z } from 'zod'
import type { Trx } from '../pool.ts'
import { isoOrNull } from './instants.ts'

/** Throws NOT_FOUND when the tenant has no such run. */
export async function assertRun(trx: Trx, tenantId: TenantId, id: RunId): Promise<void> {
  const row = await trx
    .selectFrom('runs')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `run ${id}` })
}

/** Events of a run after a sequence number, oldest first, at most `limit`. */
export async function listEvents(
  trx: Trx,
  tenantId: TenantId,
  id: RunId,
  after: number,
  limit: number,
): Promise<EventResource[]> {
  const rows = await trx
    .selectFrom('run_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(({ seq, type, data, at }) => ({
    seq,
    type,
    data: z.record(z.string(), z.json()).parse(data),
    at: at.toISOString(),
  }))
}

export interface StageView {
  stage: StageName
  state: 'pending' | 'done' | 'failed'
  tries: { code: string; durationMs: number; at: string }[]
  durationMs: number | null
  output: Json
  finishedAt: string | null
}

/** The ten stages of a run in order, and the findings that its validation recorded. */
export async function listStages(
  trx: Trx,
  tenantId: TenantId,
  id: RunId,
): Promise<{ data: StageView[]; findings: Finding[] }> {
  await assertRun(trx, tenantId, id)
  const outputs = await trx
    .selectFrom('stage_outputs')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .execute()
  const tries = await trx
    .selectFrom('stage_tries')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .orderBy('at')
    .execute()
  const data = stageNames.map((stage): StageView => {
    const output = outputs.find((row) => row.stage === stage)
    const failed = tries.filter((row) => row.stage === stage)
    return {
      stage,
      state: output ? 'done' : failed.length > 0 ? 'failed' : 'pending',
      tries: failed.map((row) => ({
        code: row.code,
        durationMs: row.duration_ms,
        at: row.at.toISOString(),
      })),
      durationMs: output?.duration_ms ?? null,
      output: output ? z.json().parse(JSON.parse(output.output)) : null,
      finishedAt: isoOrNull(output?.at ?? null),
    }
  })
  const validated = outputs.find(({ stage }) => stage === 'validate')
  const recorded = z.object({ findings: z.array(finding) })
  const findings = validated ? recorded.parse(JSON.parse(validated.output)).findings : []
  return { data, findings }
}

/** The hash of a run's package. Throws NOT_FOUND before it was assembled. */
export async function packageHashOf(trx: Trx, tenantId: TenantId, id: RunId): Promise<string> {
  await assertRun(trx, tenantId, id)
  const row = await trx
    .selectFrom('stage_outputs')
    .select('output')
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .where('stage', '=', 'assemble')
    .executeTakeFirst()
  if (!row) throw new AlmanacError('NOT_FOUND', { what: `package of ${id} yet` })
  return z.object({ packageHash: z.string() }).parse(JSON.parse(row.output)).packageHash
}

/** The engine calls of a run, oldest first. */
export async function listCalls(trx: Trx, tenantId: TenantId, id: RunId) {
  await assertRun(trx, tenantId, id)
  const rows = await trx
    .selectFrom('engine_calls')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('run_id', '=', id)
    .orderBy('opened_at')
    .orderBy('seq')
    .execute()
  return rows.map((row) => ({
    callKey: row.call_key,
    seq: row.seq,
    state: row.state,
    provider: row.provider,
    model: row.model,
    outcome: row.outcome,
    requestHash: row.request_hash,
    heldMicroUsd: row.hold_micro_usd,
    costMicroUsd: row.cost_micro_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    openedAt: row.opened_at.toISOString(),
    closedAt: isoOrNull(row.closed_at),
  }))
}
