import { canonicalJson } from '@almanac/domain'
import { sha256 } from '@almanac/domain/hash'
import type { Engine, EngineRequest, Outcome } from '@almanac/pipeline'
import { composeReport } from './compose-report.ts'

const name = 'deterministic'
const model = 'extractive-1'

/**
 * Creates the engine that needs no model: an extractive composer over the run package's evidence.
 * Offline, without network, clock or randomness, and unbilled. Its output is real, and labelled as
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
  if (request.package.output.kind !== 'report')
    return { kind: 'misconfigured', status: 501, code: 'this engine composes reports only' }
  return {
    kind: 'completed',
    output: composeReport(request.package),
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: false },
    served: { model, tier: 'standard' },
    requestId: `${name}-${sha256(sent).slice(0, 16)}`,
  }
}

/**
 * Everything that the composer reads, in canonical JSON: evidence by its hash, the catalogue by its
 * own. Nothing else is in it, so that equal work of two runs is seen to be equal.
 */
function body({ package: runPackage, call, maxOutputTokens }: EngineRequest): string {
  const { scope, catalogue, cadence, output, limits } = runPackage
  return canonicalJson({
    engine: name,
    model,
    maxOutputTokens,
    call,
    kind: output.kind,
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
