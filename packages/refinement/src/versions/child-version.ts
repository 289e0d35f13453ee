import { AlmanacError, type Json, type Outline } from '@almanac/domain'
import { hashOf } from '@almanac/domain/hash'
import { diffOutlines, type Diff } from '../diff/diff.ts'
import type { Outlined } from '../diff/outlined.ts'
import { gainOf, type Gain, type Judged } from './gain.ts'
import { nextChildVersion } from './labels.ts'

/** What a document's metadata says of its version; whatever else it says goes along unchanged. */
export interface VersionMetadata {
  documentId: string
  /** The version's label. */
  version: string
  contentHash: string
  score: number
}

/** A version of a document: what it holds, what it is worth, and where it came from. */
export interface Version<Content, Metadata extends VersionMetadata> extends Judged {
  id: string
  label: string
  /** What it was made of: one version for a variant, several for a merge, none for a first one. */
  parents: string[]
  /** Steps from the first version. */
  depth: number
  content: Content
  metadata: Metadata
}

export interface ChildVersion<Content, Metadata extends VersionMetadata> extends Version<
  Content,
  Metadata
> {
  /** What turns the ancestor into this version. */
  diff: Diff
  /** The score less the ancestor's. */
  scoreDelta: number
  gain: Gain
}

export interface NewVersion<Content> extends Judged {
  id: string
  content: Content
  /** The versions that it was merged of; a version without them is a variant of the ancestor. */
  mergedOf?: readonly { id: string; metadata: { documentId: string } }[]
  /** The labels that the ancestor's children have. */
  taken: Iterable<string>
}

/**
 * Makes a version of new content: a variant of `ancestor`, or what was merged of its variants. The
 * document keeps its id, in the metadata and in the content; label, content hash and score are those of
 * the new version, in both. Throws INPUT_INVALID when a version of another document was merged.
 */
export function createChildVersion<Content, Metadata extends VersionMetadata>(
  kind: Outlined<Content>,
  ancestor: Version<Content, Metadata>,
  { id, content: proposed, mergedOf, taken, evaluation, findings }: NewVersion<Content>,
): ChildVersion<Content, Metadata> {
  const { documentId } = ancestor.metadata
  const foreign = mergedOf?.find(({ metadata }) => metadata.documentId !== documentId)
  if (foreign) {
    const message = `must be versions of the document ${documentId}: ${foreign.id} is one of ${foreign.metadata.documentId}`
    const issue = { field: 'mergedOf', message, value: JSON.stringify(foreign.id) }
    throw new AlmanacError('INPUT_INVALID', { issues: [issue] })
  }
  const label = nextChildVersion(ancestor.label, taken, { merged: mergedOf !== undefined })
  const before = kind.outline(ancestor.content)
  const content = kind.compose(identified(kind.outline(proposed), before, label))
  const after = kind.outline(content)
  const gain = gainOf({ ...ancestor, outline: before }, { evaluation, findings, outline: after })
  const { score } = evaluation
  return {
    id,
    label,
    parents: mergedOf?.map((version) => version.id) ?? [ancestor.id],
    depth: ancestor.depth + 1,
    content,
    evaluation,
    findings,
    metadata: { ...ancestor.metadata, version: label, contentHash: hashOf(content), score },
    diff: diffOutlines(before, after),
    scoreDelta: gain.score,
    gain,
  }
}

/**
 * The content of a version as if its ancestor's label stood in it: versions differ in what they say, and
 * a merge must not take their own labels for something that all of them changed.
 */
export function underLabelOf<Content>(
  kind: Outlined<Content>,
  ancestor: Content,
  content: Content,
): Content {
  const before = kind.outline(ancestor)
  const label = before.find(({ level }) => level === 'metadata')?.value['version']
  return typeof label === 'string'
    ? kind.compose(identified(kind.outline(content), before, label))
    : content
}

/** An outline with the document's id and the version's label, where the kind has them in its content. */
function identified(outline: Outline, ancestor: Outline, label: string): Outline {
  const head = ancestor.find(({ level }) => level === 'metadata')?.value ?? {}
  const known: Record<string, Json> = {
    ...('id' in head && { id: head['id'] }),
    ...('version' in head && { version: label }),
  }
  return outline.map((element) =>
    element.level === 'metadata' ? { ...element, value: { ...element.value, ...known } } : element,
  )
}
