import { AlmanacError } from '@almanac/domain'
import { makeDocument } from '../calls/make-document.ts'
import { readPackage } from '../content.ts'
import { assembled, executed } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

export type ExecutePorts = Pick<
  Ports,
  'content' | 'kinds' | 'engine' | 'ledger' | 'rates' | 'spending' | 'clock' | 'identity'
>

/** Has the engine make the document, call by call; each call is held, sent, settled and parsed. */
export const execute = defineStage({
  name: 'execute',
  tries: 3,
  timeoutMs: 300_000,
  input: { assemble: assembled },
  output: executed,
  run: async ({ run, epoch, assemble }, ports: ExecutePorts, signal) => {
    const runPackage = await readPackage(ports.content, run.tenantId, assemble.packageHash)
    const { packageHash } = assemble
    const context = { run, epoch, package: runPackage, packageHash }
    const made = await makeDocument(context, ports, signal)
    if (made.kind === 'waits') return made.wait
    if (made.kind === 'invalid')
      throw new AlmanacError('OUTPUT_INVALID', { findings: made.findings })
    const [contentHash = ''] = await ports.content.put(run.tenantId, [made.text])
    const { engine } = ports
    return {
      contentHash,
      engine: { name: engine.name, model: engine.model },
      calls: made.calls,
      costMicroUsd: made.costMicroUsd,
      reused: made.reused,
    }
  },
  events: ({ reused }) =>
    reused.map((one) => ({ type: 'run.output_reused', data: { stage: 'execute', ...one } })),
})
