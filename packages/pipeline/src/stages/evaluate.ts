import { readDocument, readPackage } from '../content.ts'
import { judgeDocument, type JudgePorts } from '../judging/judge-document.ts'
import { withJudgements } from '../judging/with-judgements.ts'
import { assembled, evaluated, executed, refined, validated } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage, Elsewhere } from '../stage.ts'

/**
 * Measures the document: metrics with reasons, and their weighted mean, the conformance score. Where
 * checklists of plugins are answered by a model, those calls are made here, for the one document that
 * goes out.
 */
export const evaluate = defineStage({
  name: 'evaluate',
  tries: 3,
  // A judge may take two minutes; everything else is a matter of milliseconds.
  timeoutMs: 150_000,
  input: { assemble: assembled, execute: executed, validate: validated, refine: refined },
  output: evaluated,
  run: async (
    { run, epoch, assemble, execute, validate, refine },
    ports: JudgePorts & Pick<Ports, 'kinds'>,
    signal,
  ) => {
    const { content, kinds } = ports
    const { packageHash } = assemble
    const runPackage = await readPackage(content, run.tenantId, packageHash)
    const kind = kinds.get(runPackage.output.kind)
    const document = await readDocument(content, run.tenantId, refine.contentHash, kind)
    const evaluation = kind.evaluate(
      document,
      runPackage,
      refine.version === null ? validate.findings : kind.validate(document, runPackage),
    )
    const context = {
      run,
      epoch,
      package: runPackage,
      packageHash,
      kind,
      stage: 'evaluate',
    } as const
    // Variants are made by the engine of now, which need not be the one that made the draft.
    const madeBy = [execute.engine.model, ports.engine.model]
    const judged = await judgeDocument(
      context,
      { contentHash: refine.contentHash, madeBy },
      ports,
      signal,
    )
    return judged instanceof Elsewhere ? judged : withJudgements(evaluation, judged)
  },
})
