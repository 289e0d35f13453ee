import type { Json } from '@almanac/domain'
import { merge, type Variant } from '@almanac/refinement'
import type { CallContext } from '../calls/call-engine.ts'
import { readDocument } from '../content.ts'
import type { Ports } from '../ports.ts'
import { storeChildVersion } from './child-version.ts'
import { asJudgement, judged } from './judged.ts'
import type { MergeOutcome, RefinedRoot } from './refinement-port.ts'

export type MergePorts = Pick<Ports, 'content' | 'ids' | 'refinement'>

/**
 * Merges the variants of a generation that are done, three-way against the version that they grew from.
 * `rejected`: the best of them goes on alone; `none`: there were not two to merge.
 */
export async function mergeGeneration(
  context: CallContext,
  { limits, generation }: RefinedRoot,
  ports: MergePorts,
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
      const own = await read(contentHash)
      return { id, content: own, depth: generation.generation, ...asJudgement(judge(own)) }
    }),
  )
  const merged = merge<Json>(
    { kind, judge: (document) => asJudgement(judge(document)) },
    base,
    variants,
    { decay: limits.decay },
  )
  if (merged.parents.length < 2) return { merge: 'rejected' }
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
