import { z } from 'zod'
import { auditId } from './ids.ts'

export const auditActions = [
  'tenant.created',
  'entitlement.written',
  'principal.created',
  'key.created',
  'key.revoked',
  'specification.created',
  'specification.revised',
  'specification.activated',
  'specification.paused',
  'specification.archived',
  'module.registered',
  'module.removed',
  'slot.granted',
  'run.cancelled',
  'run.retracted',
  'run.succeeded',
  'budget.changed',
  'hold.released',
  'hold.charged',
  'overrun.acknowledged',
  'rates.changed',
  'spending.stopped',
  'spending.resumed',
  'content.erased',
  'refinement.started',
  'refinement.granted',
  'refinement.refused',
  'refinement.variant_closed',
  'refinement.merged',
  'refinement.rolled_back',
  'refinement.limits_changed',
  'refinement.ended',
  'refinement.attempt_refused',
  'checkpoint.requested',
  'checkpoint.decided',
  'checkpoint.used',
  'checkpoint.lent',
  'checkpoint.answer_refused',
] as const
export type AuditAction = (typeof auditActions)[number]

/** One audited act: who, what, on what, with what; linked into its tenant's hash chain afterwards. */
export const auditEvent = z.strictObject({
  id: auditId,
  tenantId: z.string(),
  at: z.string(),
  /** The principal's id, or `policy:<revision>`, or `system`. */
  actor: z.string(),
  action: z.enum(auditActions),
  subject: z.string(),
  detail: z.record(z.string(), z.json()),
})
export type AuditEvent = z.output<typeof auditEvent>

/** What operators do to the installation; what they do to one tenant stands in its own audit too. */
export const operatorActions = [
  'key.created',
  'key.revoked',
  'spending.stopped',
  'spending.resumed',
  'provider.resumed',
  'provider.limited',
  'stage.controlled',
] as const
export type OperatorAction = (typeof operatorActions)[number]
