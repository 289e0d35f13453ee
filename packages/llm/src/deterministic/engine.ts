import { isExpansion } from '@almanac/documents'
import { canonicalJson } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Engine, EngineRequest, Outcome } from '@almanac/pipeline'
import { composeReport } from './compose-report.ts'
import { composeWorkflow } from './workflow/compose-workflow.ts'
import { expandPhase } from './workflow/expansion/expand-phase.ts'
import { workflowVariant } from './workflow/variants/workflow-variant.ts'
import { reportVariant } from './variants/report-variant.ts'

const name = 'deterministic'
const model = 'extractive-1'

/**
 * Creates the engine that needs no model: an extractive composer over the run package's evidence, and
 * over purpose, audience and style where it makes a workflow. Offline, without network, clock or randomness, and unbilled. Its output is real, and labelled as
 * its own in every artifact. `generate` rejects with the signal's reason.
 */
export function createDeterministicEngine(): Engine {
  return {
    name,
    model,
    provider: name,
    body,
    estimate: () => ({ microUsd: 0, tokens: 0 }),
    price: () => 0,
    async generate(request, sent, signal) {
      signal.throwIfAborted()
      // A turn for an abort that follows the call at once; composing itself cannot be interrupted.
      await Promise.resolve()
      signal.throwIfAborted()
      return answer(request, sent)
    },
  }
}

function answer(request: EngineRequest, sent: string): Outcome {
  const output = compose(request)
  if ('refusal' in output) return { kind: 'misconfigured', status: 422, code: output.refusal }
  return {
    kind: 'completed',
    output: output.document,
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: false },
    served: { model, tier: 'standard' },
    requestId: `${name}-${sha256(sent).slice(0, 16)}`,
  }
}

function compose(request: EngineRequest): { document: unknown } | { refusal: string } {
  const { package: runPackage, call } = request
  const { output, specification } = runPackage
  if (call.kind === 'judge') return { refusal: 'the deterministic engine does not judge' }
  if (output.kind !== specification.body.kind)
    return { refusal: `a ${output.kind} needs a specification of its kind` }
  const isWorkflow = output.kind === 'workflow'
  if (isExpansion(call)) {
    const document = isWorkflow ? expandPhase(request) : undefined
    return document ? { document } : { refusal: 'an expansion needs a workflow and a brief' }
  }
  if (call.kind !== 'variant')
    return { document: isWorkflow ? composeWorkflow(request) : composeReport(runPackage) }
  const document = isWorkflow ? workflowVariant(request) : reportVariant(request)
  return document ? { document } : { refusal: `a variant needs a ${output.kind} and a brief` }
}

/**
 * Everything that the composer reads, in canonical JSON: evidence by its hash, the catalogue by its
 * own. Nothing else is in it, so that equal work of two runs is seen to be equal.
 */
function body({ package: runPackage, call, maxOutputTokens }: EngineRequest): string {
  const { scope, catalogue, cadence, output, limits, specification } = runPackage
  const common = { engine: name, model, maxOutputTokens, call, kind: output.kind }
  if (specification.body.kind === 'workflow') {
    const { purpose, audience, style, title } = specification.body
    const modules = runPackage.modules ?? []
    return canonicalJson({ ...common, specification: { purpose, audience, style, title }, modules })
  }
  return canonicalJson({
    ...common,
    scope,
    catalogue: catalogue && [catalogue.industry, catalogue.version, catalogue.hash],
    to: cadence.to,
    timeZone: cadence.timeZone,
    limits: [limits.maxItemsPerSection, limits.maxSummaryLines],
    evidence: runPackage.evidence.map(({ id, hash, revision, withdrawn, publishedAt, matches }) => [
      ...[id, hash, revision, withdrawn, publishedAt],
      matches.map(({ deliverable, region, link }) => [deliverable, region, link]),
    ]),
  })
}
