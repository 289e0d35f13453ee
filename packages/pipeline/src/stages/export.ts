import {
  AlmanacError,
  artifactFormats,
  terminologyVersion,
  type DocumentMetadata,
  type RunPackage,
} from '@almanac/domain'
import { readDocument, readPackage } from '../content.ts'
import { documentIdOf } from '../document-id.ts'
import { assembled, evaluated, executed, exported, refined, validated } from '../outputs.ts'
import type { Ports, RunFacts } from '../ports.ts'
import { defineStage } from '../stage.ts'

/** Writes the document in every format and stores the bytes. */
export const exportDocument = defineStage({
  name: 'export',
  tries: 3,
  timeoutMs: 30_000,
  input: {
    assemble: assembled,
    execute: executed,
    validate: validated,
    refine: refined,
    evaluate: evaluated,
  },
  output: exported,
  run: async (
    { run, assemble, execute, validate, refine, evaluate },
    { content, kinds }: Pick<Ports, 'content' | 'kinds'>,
  ) => {
    const runPackage = await readPackage(content, run.tenantId, assemble.packageHash)
    const kind = kinds.get(runPackage.output.kind)
    const document = await readDocument(content, run.tenantId, refine.contentHash, kind)
    const documentId = documentIdOf(run, runPackage)
    const input = {
      metadata: metadataOf(run, runPackage, {
        documentId,
        version: refine.versionLabel,
        engine: execute.engine,
        packageHash: assemble.packageHash,
        contentHash: refine.contentHash,
        score: evaluate.score,
      }),
      content: document,
      evaluation: evaluate,
      findings: validate.findings,
      package: runPackage,
    }
    const texts = artifactFormats.map((format) => {
      try {
        return kind.render[format](input)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : 'the renderer failed'
        throw new AlmanacError('EXPORT_FAILED', { format, reason }, { cause })
      }
    })
    const hashes = await content.put(run.tenantId, texts)
    const artifacts = artifactFormats.map((format, i) => ({
      format,
      sha256: hashes[i] ?? '',
      bytes: Buffer.byteLength(texts[i] ?? ''),
    }))
    return { documentId, artifacts }
  },
})

type Made = Pick<
  DocumentMetadata,
  'documentId' | 'version' | 'engine' | 'packageHash' | 'contentHash' | 'score'
>

/** What every format says of the document; nothing here depends on when or where it was rendered. */
export function metadataOf(
  run: Pick<RunFacts, 'id' | 'test'>,
  runPackage: RunPackage,
  made: Made,
): DocumentMetadata {
  const { tenantName, specification, cadence, narrowed, output } = runPackage
  return {
    classification: 'non_operational_output',
    notice: 'Static information: not advice, not an instruction to any system.',
    kind: output.kind,
    title: specification.body.title,
    runId: run.id,
    specificationId: specification.id,
    specificationRevision: specification.revision,
    tenantName,
    periodKey: cadence.periodKey,
    from: cadence.from,
    to: cadence.to,
    timeZone: cadence.timeZone,
    created: cadence.from,
    test: run.test,
    narrowed,
    terminologyVersion,
    ...made,
  }
}
