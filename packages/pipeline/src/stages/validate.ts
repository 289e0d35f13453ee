import { AlmanacError } from '@almanac/domain'
import { readDocument, readPackage } from '../content.ts'
import { assembled, executed, validated } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/** Recomputes every finding, purely, and records them: the final judge of a document. */
export const validate = defineStage({
  name: 'validate',
  tries: 3,
  timeoutMs: 10_000,
  input: { assemble: assembled, execute: executed },
  output: validated,
  run: async ({ run, assemble, execute }, { content, kinds }: Pick<Ports, 'content' | 'kinds'>) => {
    const runPackage = await readPackage(content, run.tenantId, assemble.packageHash)
    const kind = kinds.get(runPackage.output.kind)
    const document = await readDocument(content, run.tenantId, execute.contentHash, kind)
    const findings = kind.validate(document, runPackage)
    const errors = findings.filter(({ severity }) => severity === 'error')
    if (errors.length > 0) throw new AlmanacError('OUTPUT_INVALID', { findings: errors })
    return { findings }
  },
})
