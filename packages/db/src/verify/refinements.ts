import { runId as runIdSchema, type AuditEvent } from '@almanac/domain'
import { isRefinementAction, proveActs } from '@almanac/refinement'
import type { AuditRow } from '../chain.ts'
import { readEvent } from './audit-chain.ts'
import type { Check, Findings } from './check.ts'

/**
 * P7: every refinement, told again from its audit alone, kept to its limits, ended by a condition or a
 * refusal, and passed a checkpoint only with a decision.
 */
export const refinements: Check = {
  promise: 'P7',
  name: 'no refinement went past its limits, or past a checkpoint without a decision',
  unit: 'refinements',
  async run({ snapshot }, findings) {
    const [counted] = await snapshot.query<{ rows: number }>(
      'select count(*) as rows from refinement_roots',
    )
    findings.rows(counted?.rows ?? 0)
    let root: Root | undefined
    for await (const row of snapshot.each<AuditRow>(
      `select tenant_id, id, at, actor, action, subject, detail from audit_events
        where action like 'refinement.%' or action like 'checkpoint.%'
        order by tenant_id, subject, id`,
    )) {
      // One that does not read as an event is told of by the check of the audit itself.
      const event = readEvent(row)
      if (!event || !isRefinementAction(event.action)) continue
      const { tenant_id: tenantId, subject } = row
      if (root?.subject !== subject || root.tenantId !== tenantId) {
        if (root) judge(root, findings)
        root = { tenantId, subject, acts: [] }
      }
      root.acts.push(event)
    }
    if (root) judge(root, findings)
    const untold = snapshot.each<{ tenant_id: string; run_id: string }>(
      `select r.tenant_id, r.run_id from refinement_roots r where not exists (
        select from audit_events e where e.tenant_id = r.tenant_id and e.subject = r.run_id
          and e.action = 'refinement.started')`,
    )
    for await (const row of untold)
      findings.problem('refinement_roots', { ...row }, 'the audit does not tell of it')
  },
}

interface Root {
  tenantId: string
  subject: string
  acts: AuditEvent[]
}

function judge({ tenantId, subject, acts }: Root, findings: Findings): void {
  const rootId = runIdSchema.safeParse(subject)
  if (!rootId.success) return
  for (const problem of proveActs(rootId.data, acts).problems)
    findings.problem('refinement_roots', { tenant_id: tenantId, run_id: subject }, problem)
}
