import type { DocumentMetadata } from '@almanac/domain'

/** A row of a document's provenance; `code` is what people copy. */
export interface ProvenanceRow {
  label: string
  value: string
  code: boolean
}

/** Where a document comes from and how to check it, in the order in which every format shows it. */
export function provenanceRows(metadata: DocumentMetadata): ProvenanceRow[] {
  const text = (label: string, value: string) => ({ label, value, code: false })
  const code = (label: string, value: string) => ({ label, value, code: true })
  return [
    text('Classification', metadata.classification),
    code('Run', metadata.runId),
    code(
      'Specification',
      `${metadata.specificationId}, revision ${metadata.specificationRevision}`,
    ),
    code('Document', `${metadata.documentId}, version ${metadata.version}`),
    code('Window', `${metadata.from} to ${metadata.to}`),
    code('Package SHA-256', inFours(metadata.packageHash)),
    code('Content SHA-256', inFours(metadata.contentHash)),
    text('Engine', `${metadata.engine.name}, model ${metadata.engine.model}`),
    text('Conformance', String(metadata.score)),
    text('Terminology', metadata.terminologyVersion),
    text('Created', `${metadata.created}, the start of the period`),
    code('Verify', 'almanac verify'),
  ]
}

const inFours = (hash: string): string => hash.match(/.{1,4}/gs)?.join(' ') ?? ''
