import type { AnyDocumentKind } from '@almanac/documents'
import { mergeStrategies, type Json } from '@almanac/domain'
import {
  merge,
  takeProposal,
  underLabelOf,
  type MergeProposal,
  type Variant,
} from '@almanac/refinement'
import type { CallContext } from '../calls/call-engine.ts'
import { readDocument } from '../content.ts'
import type { Ports } from '../ports.ts'
import { storeChildVersion } from './child-version.ts'
import { asJudgement, judged } from './judged.ts'
import type { MergeOutcome, RefinedRoot } from './refinement-port.ts'

export type MergePorts = Pick<Ports, 'content' | 'ids' | 'refinement' | 'strategies'>

/**
 * Merges the variants of a generation that are done, against the version that they grew from, by the
 * strategy of that name: what a plugin proposes is judged like what Almanac makes. Expansions of several
 * phases are merged three-way whatever its name, since a phase that was expanded has to go. `rejected`: the
 * best of them goes on alone; `none`: there were not two to merge.
 */
export async function mergeGeneration(
  context: CallContext,
  { limits, generation }: RefinedRoot,
  strategy: string,
  ports: MergePorts,
  signal: AbortSignal,
): Promise<MergeOutcome> {
  const { run, package: runPackage, kind } = context
  const { content, ids, refinement } = ports
  const done = (generation?.variants ?? []).flatMap(({ version }) => version ?? [])
  if (!generation || done.length < 2) return { merge: 'none' }
  const known = await refinement.versions({ tenantId: run.tenantId, runId: run.id })
  const parent = known.find(({ id }) => id === generation.parentId)
  if (!parent) throw new Error(`version ${generation.parentId} is not stored`)
  const read = (hash: string) => readDocument(content, run.tenantId, hash, kind)
  const judge = (document: Json) => judged(kind, runPackage, document)
  const base = await read(parent.contentHash)
  const variants = await Promise.all(
    done.map(async ({ id, contentHash }): Promise<Variant<Json>> => {
      const own = underLabelOf(kind, base, await read(contentHash))
      return { id, content: own, depth: generation.generation, ...asJudgement(judge(own)) }
    }),
  )
  const judging = { kind, judge: (document: Json) => asJudgement(judge(document)) }
  const { decay } = limits
  const by = generation.kind === 'expand' ? 'three-way' : strategy
  const own = mergeStrategies.find((name) => name === by)
  const merged = own
    ? merge(judging, base, variants, { strategy: own, decay })
    : takeProposal(
        judging,
        base,
        variants,
        await proposed(strategy, { kind, base, variants, decay }, ports, signal),
      )
  if (!merged || merged.parents.length < 2) return { merge: 'rejected' }
  const parents = merged.parents.flatMap((id) => done.find((one) => one.id === id)?.id ?? [])
  const version = await storeChildVersion(
    { kind, run, packageHash: context.packageHash },
    content,
    { version: parent, judged: judge(base) },
    {
      id: ids.next('version'),
      judged: judge(merged.content),
      mergedOf: parents,
      taken: known.map(({ label }) => label),
    },
  )
  return { merge: 'accepted', version }
}

async function proposed(
  strategy: string,
  question: {
    kind: AnyDocumentKind
    base: Json
    variants: readonly Variant<Json>[]
    decay: number
  },
  { strategies }: Pick<MergePorts, 'strategies'>,
  signal: AbortSignal,
): Promise<MergeProposal> {
  const { kind, base, variants, decay } = question
  const ask = strategies.merges[strategy]
  if (!ask) throw new Error(`no plugin here brings the merge strategy ${strategy}`)
  const told = variants.map(({ id, depth, content, score, findings }) => ({
    ...{ id, depth, score, findings },
    outline: kind.outline(content),
  }))
  return ask({ ancestor: kind.outline(base), variants: told, decay }, signal)
}
