import { readDocument, readPackage } from '../content.ts'
import { assembled, evaluated, refined, validated } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/** Measures the document: metrics with reasons, and their weighted mean, the conformance score. */
export const evaluate = defineStage({
  name: 'evaluate',
  tries: 3,
  timeoutMs: 10_000,
  input: { assemble: assembled, validate: validated, refine: refined },
  output: evaluated,
  run: async (
    { run, assemble, validate, refine },
    { content, kinds }: Pick<Ports, 'content' | 'kinds'>,
  ) => {
    const runPackage = await readPackage(content, run.tenantId, assemble.packageHash)
    const kind = kinds.get(runPackage.output.kind)
    const document = await readDocument(content, run.tenantId, refine.contentHash, kind)
    return kind.evaluate(
      document,
      runPackage,
      refine.version === null ? validate.findings : kind.validate(document, runPackage),
    )
  },
})
