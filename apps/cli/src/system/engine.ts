import type { Probes } from '@almanac/db'
import { AlmanacError } from '@almanac/domain'
import { createDeterministicEngine } from '@almanac/llm'
import type { Engine } from '@almanac/pipeline'
import { systemClock, type Config, type Logger } from '@almanac/runtime'
import { readPriceFile } from './price-file.ts'

const probeTimeoutMs = 30_000

/**
 * The engine of the configuration. One over the wire is probed where it speaks chat completions, which
 * servers implement differently; what it does and does not do is logged, and kept in `probes` for a
 * day. Without `probes` nothing is asked. `engines` are those of plugins.
 * Throws INPUT_INVALID for a model without a price, CONFIG_INVALID, ENGINE_MISCONFIGURED.
 */
export async function createEngine(
  { engine }: Pick<Config, 'engine'>,
  log: Logger,
  { probes, engines = [] }: { probes?: Probes; engines?: readonly Engine[] } = {},
): Promise<Engine> {
  if (engine.kind === 'deterministic') return createDeterministicEngine()
  if (engine.kind === 'plugin') {
    const found = engines.find(({ name }) => name === engine.name)
    if (found) return found
    const known = ['deterministic', 'openai', ...engines.map(({ name }) => name)].join(', ')
    const message = `must be one of ${known}`
    throw new AlmanacError('CONFIG_INVALID', {
      issues: [{ field: 'ALMANAC_ENGINE', message, value: JSON.stringify(engine.name) }],
    })
  }
  const { api, model } = engine
  const { createOpenAiEngine, openAiPrices, recallProbe, withOwnPrices } = await openAi()
  const prices = withOwnPrices(await ownPrices(engine), openAiPrices)
  const now = systemClock.now()
  const created = createOpenAiEngine({ now }, { api, model, ...endpointOf(engine), prices })
  if (probes && api === 'chat') {
    const signal = AbortSignal.timeout(probeTimeoutMs)
    const found = await recallProbe(created, { store: probes, now }, signal)
    const said = found.recalled ? 'knows the endpoint from an earlier probe' : 'probed the endpoint'
    log.info({ engine: created.name, model, ...found }, said)
  }
  return created
}

/**
 * The engine that embeds texts, at the same provider: null unless a model is set for it. Throws
 * INPUT_INVALID for a model without a price, CONFIG_INVALID.
 */
export async function createEmbedder({ engine }: Pick<Config, 'engine'>): Promise<Engine | null> {
  if (engine.kind !== 'openai' || engine.embeddingModel === undefined) return null
  const { createOpenAiEmbedder, openAiEmbeddingPrices, withOwnPrices } = await openAi()
  const prices = withOwnPrices(await ownPrices(engine), openAiEmbeddingPrices)
  const model = engine.embeddingModel
  return createOpenAiEmbedder({ now: systemClock.now() }, { model, ...endpointOf(engine), prices })
}

type OpenAiConfig = Extract<Config['engine'], { kind: 'openai' }>

/** The SDK is loaded only where it is used: it is a third of a second and 15 MB. */
const openAi = () => import('@almanac/llm/openai')

async function ownPrices({ priceFile }: OpenAiConfig) {
  if (priceFile === undefined) return []
  return readPriceFile(priceFile, (await openAi()).parsePriceRows)
}

// Only beside a base URL may the key be missing; the SDK wants one, a server without keys reads none.
const endpointOf = ({ apiKey = 'none', baseUrl }: OpenAiConfig) => ({ apiKey, baseUrl })
