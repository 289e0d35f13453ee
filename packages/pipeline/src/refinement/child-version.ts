import { canonicalJson, type Json, type VersionId } from '@almanac/domain'
import { createChildVersion, type VersionMetadata } from '@almanac/refinement'
import type { AnyDocumentKind } from '@almanac/documents'
import type { NewStoredVersion, Content } from '../ports.ts'
import type { RunFacts } from '../ports.ts'
import type { JudgedDocument } from './judged.ts'
import type { RefinedVersion } from './refinement-port.ts'

export interface ChildParts {
  kind: AnyDocumentKind
  run: Pick<RunFacts, 'id' | 'tenantId'>
  packageHash: string
}

/**
 * Stores the content of a version that was made of another one, and answers its row. `mergedOf` names the
 * versions that it was merged of, `taken` the labels that the parent's children have.
 */
export async function storeChildVersion(
  { kind, run, packageHash }: ChildParts,
  content: Content,
  parent: { version: RefinedVersion; judged: JudgedDocument },
  made: { id: VersionId; judged: JudgedDocument; mergedOf?: VersionId[]; taken: Iterable<string> },
): Promise<NewStoredVersion & { parents: VersionId[] }> {
  const metadata = ({ label, contentHash, score }: RefinedVersion): VersionMetadata => ({
    documentId: run.id,
    version: label,
    contentHash,
    score,
  })
  const { evaluation, findings } = made.judged
  const child = createChildVersion<Json, VersionMetadata>(
    kind,
    {
      id: parent.version.id,
      label: parent.version.label,
      parents: [],
      depth: parent.version.depth,
      content: parent.judged.content,
      evaluation: parent.judged.evaluation,
      findings: parent.judged.findings,
      metadata: metadata(parent.version),
    },
    {
      id: made.id,
      content: made.judged.content,
      evaluation,
      findings,
      taken: made.taken,
      ...(made.mergedOf && {
        mergedOf: made.mergedOf.map((id) => ({ id, metadata: { documentId: run.id } })),
      }),
    },
  )
  const [contentHash = ''] = await content.put(run.tenantId, [canonicalJson(child.content)])
  return {
    id: made.id,
    label: child.label,
    parents: made.mergedOf ?? [parent.version.id],
    contentHash,
    packageHash,
    score: evaluation.score,
    evaluation: canonicalJson(evaluation),
  }
}
