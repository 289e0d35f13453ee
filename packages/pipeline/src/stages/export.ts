import {
  AlmanacError,
  artifactFormats,
  isAlmanacError,
  isUnchanged,
  terminologyVersion,
  type DocumentMetadata,
  type RunPackage,
} from '@almanac/domain'
import { hashed } from '@almanac/domain/hash'
import type { CallContext } from '../calls/call-engine.ts'
import { changesSince, readEarlier } from '../changes.ts'
import { readDocument, readPackage } from '../content.ts'
import { documentIdOf } from '../document-id.ts'
import { likenessOf, type LikenessPorts } from '../likeness/likeness.ts'
import { assembled, evaluated, executed, exported, refined, validated } from '../outputs.ts'
import type { Ports, RunFacts } from '../ports.ts'
import { defineStage, Elsewhere, WithTexts } from '../stage.ts'

/**
 * Writes the document in every format and stores the bytes. Where an embedding model is set up, its call
 * is made here, for the comparison with the document of the period before.
 */
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
    { run, epoch, assemble, execute, validate, refine, evaluate },
    ports: LikenessPorts & Pick<Ports, 'kinds' | 'exporters'>,
    signal,
  ) => {
    const { content, kinds, exporters } = ports
    const runPackage = await readPackage(content, run.tenantId, assemble.packageHash)
    const kind = kinds.get(runPackage.output.kind)
    const [document, earlier] = await Promise.all([
      readDocument(content, run.tenantId, refine.contentHash, kind),
      readEarlier(content, run.tenantId, runPackage),
    ])
    const { report, said } = changesSince(kind, runPackage, earlier, document)
    const context: CallContext = {
      ...{ run, epoch, package: runPackage, packageHash: assemble.packageHash, kind },
      stage: 'export',
    }
    const likeness = said && (await likenessOf(context, said, ports, signal))
    if (likeness instanceof Elsewhere) return likeness
    const changes = { ...report, likeness }
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
      findings: refine.version === null ? validate.findings : kind.validate(document, runPackage),
      package: runPackage,
      changes,
    }
    const further = exporters.filter((exporter) => exporter.kinds.includes(kind.name))
    const written = [
      ...artifactFormats.map((format) => writing(format, () => kind.render[format](input))),
      ...further.map(({ format, export: write }) => writing(format, () => write(input, signal))),
    ]
    const files = await Promise.all(
      written.map(async ({ format, text }) => ({ format, ...hashed(await text) })),
    )
    const artifacts = files.map(({ format, hash, text }) => ({
      format,
      sha256: hash,
      bytes: Buffer.byteLength(text),
    }))
    const unchangedSince = isUnchanged(changes) ? (changes.against?.runId ?? null) : null
    return new WithTexts({ documentId, artifacts, unchangedSince }, files)
  },
})

/** A format under way. Its failure is EXPORT_FAILED; that of a plugin is told as the plugin's. */
function writing(format: string, write: () => string | Promise<string>) {
  const text = async () => {
    try {
      return await write()
    } catch (cause) {
      if (isAlmanacError(cause, 'PLUGIN_FAILED')) throw cause
      const reason = cause instanceof Error ? cause.message : 'the renderer failed'
      throw new AlmanacError('EXPORT_FAILED', { format, reason }, { cause })
    }
  }
  return { format, text: text() }
}

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
