import { AlmanacError } from '@almanac/domain'
import { hashed } from '@almanac/domain/hash'
import { makeDocument } from '../calls/make-document.ts'
import { readPackage } from '../content.ts'
import { assembled, executed } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage, WithTexts } from '../stage.ts'

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
    const { calls, costMicroUsd, reused } = made
    const { name, model } = ports.engine
    const document = hashed(made.text)
    return new WithTexts(
      { contentHash: document.hash, engine: { name, model }, calls, costMicroUsd, reused },
      [document],
    )
  },
  events: ({ reused }) =>
    reused.map((one) => ({ type: 'run.output_reused', data: { stage: 'execute', ...one } })),
})
