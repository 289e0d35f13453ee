import { AlmanacError } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import type { Engine } from '@almanac/pipeline'
import { systemClock, type Config, type Logger } from '@almanac/runtime'

const probeTimeoutMs = 30_000

/**
 * The engine of the configuration. One over the wire is probed where it speaks chat completions, which
 * servers implement differently; what it does and does not do is logged.
 * Throws INPUT_INVALID for a model without a price, ENGINE_MISCONFIGURED.
 */
export async function createEngine(
  { engine }: Pick<Config, 'engine'>,
  log: Logger,
  { probe = true }: { probe?: boolean } = {},
): Promise<Engine> {
  if (engine.kind === 'deterministic') return createDeterministicEngine()
  const { api, model, apiKey, baseUrl } = engine
  if (apiKey === undefined)
    throw new AlmanacError('CONFIG_INVALID', {
      issues: [{ field: 'OPENAI_API_KEY', message: 'must be set for ALMANAC_ENGINE=openai' }],
    })
  // The SDK is loaded only where it is used: it is a third of a second and 15 MB.
  const { createOpenAiEngine, openAiPrices } = await import('@almanac/llm/openai')
  const created = createOpenAiEngine(
    { now: systemClock.now() },
    {
      api,
      model,
      apiKey,
      baseUrl,
      prices: openAiPrices,
    },
  )
  if (probe && api === 'chat') {
    const found = await created.probe(AbortSignal.timeout(probeTimeoutMs))
    log.info({ engine: created.name, model, probe: found }, 'probed the endpoint')
  }
  return created
}
