import { callKey, type Call } from '@almanac/documents'
import { canonicalJson, type Termination } from '@almanac/domain'
import { briefText, variantBriefs } from '@almanac/refinement'
import { buildRequest, holdFor, type CallContext } from '../calls/call-engine.ts'
import type { Ports } from '../ports.ts'
import type { JudgedDocument } from './judged.ts'
import type { PreparedGeneration, RefinedRoot } from './refinement-port.ts'

/** How long the variants of a generation are waited for at most. */
const waitMs = 15 * 60_000

export type GrowPorts = Pick<Ports, 'content' | 'engine' | 'clock' | 'identity' | 'refinement'>

/**
 * Asks for the next generation: one variant for each brief of what is wrong with the best version. Books
 * all of them and hands their jobs on, or nothing. `nothing_wrong`: there is nothing to tell a variant.
 * Throws REFINEMENT_REFUSED.
 */
export async function growGeneration(
  context: CallContext,
  { limits, lineage }: RefinedRoot,
  termination: Termination,
  best: JudgedDocument,
  ports: GrowPorts,
): Promise<PreparedGeneration['kind'] | 'nothing_wrong'> {
  const { run, epoch } = context
  const { engine, clock, content, refinement } = ports
  const most = Math.min(limits.variants, limits.maxChildren - lineage.childrenGenerated)
  const briefs = variantBriefs(best, Math.max(1, most))
  if (briefs.length === 0) return 'nothing_wrong'
  const generation = lineage.depth + 1
  const inputHashes = await content.put(run.tenantId, [canonicalJson(best.content)])
  const wanted = await Promise.all(
    briefs.map(async (brief, i) => {
      const call: Call = {
        kind: 'variant',
        n: generation,
        part: String(i + 1),
        brief: briefText(brief),
        inputHashes,
      }
      const request = await buildRequest(context, call, ports)
      const estimate = engine.estimate(request, clock.now())
      const hold = holdFor(context, call, engine.body(request), ports)
      return { strategy: brief.strategy, estimate, hold, key: callKey(call) }
    }),
  )
  const claim = { tenantId: run.tenantId, runId: run.id, epoch }
  const prepared = await refinement.prepare(claim, {
    kind: 'variant',
    termination,
    children: wanted.map(({ strategy, estimate }) => ({ strategy, estimate })),
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
