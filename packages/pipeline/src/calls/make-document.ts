import type { AnyDocumentKind, Call } from '@almanac/documents'
import { canonicalJson, type Finding, type Json, type RunPackage } from '@almanac/domain'
import type { Ports } from '../ports.ts'
import type { Elsewhere, Park } from '../stage.ts'
import { callEngine, type CallContext, type CallPorts, type Reused } from './call-engine.ts'

export type Made =
  | { kind: 'made'; text: string; calls: number; costMicroUsd: number; reused: Reused[] }
  | { kind: 'waits'; wait: Park | Elsewhere }
  | { kind: 'invalid'; findings: Finding[] }

/**
 * Has the engine make a document: the kind's calls in order, each told the answers of those before it,
 * then up to `limits.repairs` repairs, each told the findings and the draft that they were found in.
 * Every answer is stored with its call, so that a worker that takes over goes on after the last one.
 */
export async function makeDocument(
  context: Omit<CallContext, 'kind'>,
  ports: CallPorts & Pick<Ports, 'kinds'>,
  signal: AbortSignal,
): Promise<Made> {
  const kind = ports.kinds.get(context.package.output.kind)
  let [calls, costMicroUsd] = [0, 0]
  const reused: Reused[] = []
  const ask = async (call: Call) => {
    const answer = await callEngine({ ...context, kind }, call, ports, signal)
    if ('wait' in answer) return answer
    calls += 1
    costMicroUsd += answer.costMicroUsd
    if (answer.reused) reused.push(answer.reused)
    return answer
  }

  /** What stands for an answer that could not be stored. */
  const storeNothing = async () =>
    (await ports.content.put(context.run.tenantId, ['null']))[0] ?? ''
  const answers: unknown[] = []
  const earlier: string[] = []
  for (const call of kind.calls(context.package)) {
    const answer = await ask({ ...call, inputHashes: [...call.inputHashes, ...earlier] })
    if ('wait' in answer) return { kind: 'waits', wait: answer.wait }
    answers.push(answer.output)
    earlier.push(answer.outputHash ?? (await storeNothing()))
  }
  let judged = judge(kind, context.package, answers)
  for (let n = 1; judged.findings.length > 0; n += 1) {
    if (n > context.package.limits.repairs) return { kind: 'invalid', findings: judged.findings }
    const draft = canonicalJson(answers.map((answer) => answer ?? null))
    const inputHashes = await ports.content.put(context.run.tenantId, [
      draft,
      canonicalJson(judged.findings),
    ])
    const brief =
      'Correct the draft so that none of the findings remains. Answer the whole document.'
    const answer = await ask({ kind: 'repair', n, brief, inputHashes })
    if ('wait' in answer) return { kind: 'waits', wait: answer.wait }
    judged = judge(kind, context.package, [answer.output])
    answers.splice(0, answers.length, answer.output)
  }
  return { kind: 'made', text: canonicalJson(judged.content), calls, costMicroUsd, reused }
}

/** The content with the findings that make it invalid; warnings are the validate stage's to record. */
function judge(
  kind: AnyDocumentKind,
  runPackage: RunPackage,
  answers: readonly unknown[],
): { content: Json; findings: Finding[] } {
  const { content, findings } = kind.read(runPackage, answers)
  if (content === undefined) return { content: null, findings }
  const errors = kind.validate(content, runPackage).filter(({ severity }) => severity === 'error')
  return { content, findings: errors }
}
