import { callKey, type Call } from '@almanac/documents'
import {
  canonicalJson,
  type GenerationKind,
  type Termination,
  type VariantBrief,
} from '@almanac/domain'
import { briefText, type ConditionVerdict } from '@almanac/refinement'
import { buildRequest, holdFor, type CallContext } from '../calls/call-engine.ts'
import type { Ports } from '../ports.ts'
import type { JudgedDocument } from './judged.ts'
import type { PreparedGeneration, RefinedRoot } from './refinement-port.ts'

/** How long the variants of a generation are waited for at most. */
export const waitMs = 15 * 60_000

export type GrowPorts = Pick<Ports, 'content' | 'engine' | 'clock' | 'identity' | 'refinement'>

/**
 * Asks for the next generation: one variant for each brief, which says what of the best version is wrong.
 * Books all of them and hands their jobs on, or nothing. `nothing_wrong`: there is nothing to tell a
 * variant. Throws REFINEMENT_REFUSED.
 */
export async function growGeneration(
  context: CallContext,
  { limits, lineage }: RefinedRoot,
  conditions: PlannedGeneration['conditions'],
  best: JudgedDocument,
  plan: (count: number) => Promise<VariantBrief[]>,
  ports: GrowPorts,
): Promise<PreparedGeneration['kind'] | 'nothing_wrong'> {
  const briefs = await plan(childrenOf({ limits, lineage }))
  if (briefs.length === 0) return 'nothing_wrong'
  const children = briefs.map((brief, i) => ({
    strategy: brief.strategy,
    part: String(i + 1),
    brief: briefText(brief),
  }))
  return bookGeneration(context, lineage, { kind: 'variant', conditions, children, best }, ports)
}

/** How many children the next generation may have: one at least, so that the guard says what is used up. */
export const childrenOf = ({ limits, lineage }: Pick<RefinedRoot, 'limits' | 'lineage'>): number =>
  Math.max(1, Math.min(limits.variants, limits.maxChildren - lineage.childrenGenerated))

/** A generation of one call a child, each told its brief and the best version. */
export interface PlannedGeneration {
  kind: GenerationKind
  conditions: { termination: Termination; verdicts: readonly ConditionVerdict[] }
  children: readonly { strategy: string; part: string; brief: string }[]
  best: JudgedDocument
}

/** Asks the guard for a generation, and hands its jobs on where it is booked. Throws REFINEMENT_REFUSED. */
export async function bookGeneration(
  context: CallContext,
  lineage: RefinedRoot['lineage'],
  { kind, conditions, children, best }: PlannedGeneration,
  ports: GrowPorts,
): Promise<PreparedGeneration['kind']> {
  const { run, epoch } = context
  const { engine, clock, content, refinement } = ports
  const generation = lineage.depth + 1
  const inputHashes = await content.put(run.tenantId, [canonicalJson(best.content)])
  const wanted = await Promise.all(
    children.map(async ({ strategy, part, brief }) => {
      const call: Call = { kind, n: generation, part, brief, inputHashes }
      const request = await buildRequest(context, call, ports)
      const estimate = engine.estimate(request, clock.now())
      const hold = holdFor(context, call, engine.body(request), ports)
      return { strategy, part, estimate, hold, key: callKey(call) }
    }),
  )
  const claim = { tenantId: run.tenantId, runId: run.id, epoch }
  const prepared = await refinement.prepare(claim, {
    kind,
    ...conditions,
    children: wanted.map(({ strategy, part, estimate }) => ({ strategy, part, estimate })),
    holdOf: (child, i) => {
      const own = wanted[i]
      if (own?.key !== child.callKey) throw new Error(`${child.callKey} is not what was asked for`)
      return own.hold
    },
    waitMs,
  })
  if (prepared.kind === 'booked')
    await refinement.enqueue(
      prepared.calls.map(({ depth, ordinal }) => ({
        tenantId: run.tenantId,
        runId: run.id,
        generation: depth,
        ordinal,
        n: 0,
      })),
    )
  return prepared.kind
}
