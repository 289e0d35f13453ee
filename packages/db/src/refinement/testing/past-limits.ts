import type { AuditEvent } from '@almanac/domain'
import { z } from 'zod'

const amounts = z.object({ microUsd: z.number(), tokens: z.number() })
const limits = z.object({
  maxDepth: z.number(),
  maxChildren: z.number(),
  microUsd: z.number(),
  tokens: z.number(),
})
const act = z.object({ act: z.number() })
const started = z.object({ limits, requestedBy: z.string() })
const changed = z.object({ limits })
const decided = z.object({ checkpointId: z.string(), decision: z.string() })
const granted = z.object({
  generation: z.number(),
  children: z.number(),
  estimate: amounts,
  snapshot: z.object({ budgetRemaining: amounts }),
  checkpointId: z.nullable(z.string()),
})

/**
 * What a root's acts say of P7, by arithmetic of its own and not by the guard's: the generations that went
 * past a limit, and those that reached 80 % of one without somebody else's approval, given for them alone.
 * For roots with the default ratio, in tenants where nobody may approve what he asked for.
 */
export function pastLimits(events: readonly AuditEvent[]): string[] {
  const acts = events
    .filter(({ detail }) => act.safeParse(detail).success)
    .toSorted((a, b) => act.parse(a.detail).act - act.parse(b.detail).act)
  const found: string[] = []
  const approvals = new Set<string>()
  let now: z.output<typeof limits> | undefined
  let requestedBy = ''
  let children = 0
  for (const { action, actor, detail } of acts)
    if (action === 'refinement.started') ({ limits: now, requestedBy } = started.parse(detail))
    else if (action === 'refinement.limits_changed') {
      now = changed.parse(detail).limits
      approvals.clear()
    } else if (action === 'checkpoint.decided') {
      const { checkpointId, decision } = decided.parse(detail)
      if (decision === 'approved' && actor !== requestedBy) approvals.add(checkpointId)
    } else if (action === 'refinement.granted' && now) {
      const { generation, estimate, snapshot, checkpointId, ...wanted } = granted.parse(detail)
      children += wanted.children
      const left = snapshot.budgetRemaining
      const uses: [number, number][] = [
        [generation, now.maxDepth],
        [children, now.maxChildren],
        [now.microUsd - left.microUsd + estimate.microUsd, now.microUsd],
        [now.tokens - left.tokens + estimate.tokens, now.tokens],
      ]
      if (uses.some(([after, most]) => after > most)) found.push(`generation ${generation} is past`)
      const isNear = uses.some(([after, most]) => 10 * after >= 8 * most)
      if (isNear && !approvals.delete(checkpointId ?? ''))
        found.push(`generation ${generation} was nobody’s decision`)
    }
  return found
}
