import {
  auditEvent,
  canonicalJson,
  type AuditAction,
  type Json,
  type TenantId,
} from '@almanac/domain'
import { newId } from '@almanac/domain/ids'
import type { Trx } from '../pool.ts'

/** An audited act: who did what, on what. */
export interface Act {
  actor: string
  action: AuditAction
  subject: string
  detail?: Record<string, Json>
}

/** Records an act in the transaction of what it did; the chain loop links it afterwards. */
export async function recordAct(trx: Trx, tenantId: TenantId, act: Act): Promise<void> {
  const event = auditEvent.parse({
    id: newId('audit'),
    tenantId,
    at: new Date().toISOString(),
    ...act,
    detail: act.detail ?? {},
  })
  await trx
    .insertInto('audit_events')
    .values({
      tenant_id: tenantId,
      id: event.id,
      at: event.at,
      actor: event.actor,
      action: event.action,
      subject: event.subject,
      detail: canonicalJson(event.detail),
    })
    .execute()
}
