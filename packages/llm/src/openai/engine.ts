import type { Engine, EngineRequest } from '@almanac/pipeline'
import { costOf, findPrice, getPrice, priceTiers, type PriceTier } from '../prices.ts'
import { tokensAtMost } from '../tokens.ts'
import { callOpenAi, type CallSettings } from './call.ts'
import { createClient } from './client.ts'
import { probeEndpoint, type EndpointProbe, type ProbedEndpoint } from './probe.ts'
import { bodyRequest, requestBody, type BodySettings } from './request-body.ts'
import { openAiUrl, readLimits, type OpenAiOptions } from './settings.ts'

/** An engine over OpenAI's wire. */
export interface OpenAiEngine extends Engine {
  /** What its probes are kept by. */
  readonly endpoint: ProbedEndpoint
  /**
   * Tries, with two small requests, what the endpoint does of what it is asked; for the start, and to
   * be stored by endpoint. Throws ENGINE_MISCONFIGURED where it turns the requests away.
   */
  probe(signal: AbortSignal): Promise<EndpointProbe>
}

export interface OpenAiPorts {
  /** The instant at which the model must have a price. */
  now: Date
}

/**
 * Creates the engine of a provider that speaks OpenAI's wire: the Responses API, or chat completions.
 * Each call is sent once, streamed, not stored by the provider, bound to the JSON schema and to a
 * limit of tokens. Throws INPUT_INVALID for a model that has no price now, and for limits that are none.
 */
export function createOpenAiEngine({ now }: OpenAiPorts, options: OpenAiOptions): OpenAiEngine {
  const { api, model, prices, parameters = {}, provider = 'openai', baseUrl = openAiUrl } = options
  const tier = options.tier ?? (api === 'responses' ? 'standard' : undefined)
  const asked: PriceTier = tier ?? 'standard'
  const current = getPrice(prices, model, asked, now)
  const settings: CallSettings = {
    client: createClient(options),
    api,
    model,
    tier,
    limits: readLimits(options.limits),
  }
  const bodySettings: BodySettings = {
    api,
    model,
    parameters,
    chargesCacheWrites: current.cacheWrite !== undefined,
  }
  // Both `body` and `estimate` need it, one after the other.
  const bodies = new WeakMap<EngineRequest, string>()
  const body = (request: EngineRequest) => {
    const known = bodies.get(request)
    if (known !== undefined) return known
    const made = requestBody(bodyRequest(request), bodySettings)
    bodies.set(request, made)
    return made
  }
  const endpoint = { endpoint: withoutLogin(baseUrl), api, model }
  return {
    name: 'openai',
    endpoint,
    model,
    provider,
    body,
    estimate(request, at) {
      const inputTokens = tokensAtMost(body(request))
      const outputTokens = request.maxOutputTokens
      const usage = { inputTokens, outputTokens, cachedInputTokens: 0, estimated: true }
      const microUsd = costOf(getPrice(prices, model, asked, at), usage)
      return { microUsd, tokens: inputTokens + outputTokens }
    },
    // Total, for what was served is owed: an unknown tier or model costs what the asked one does.
    price(usage, served, at) {
      const by = priceTiers.find((known) => known === served.tier) ?? asked
      const row =
        findPrice(prices, served.model, by, at) ??
        findPrice(prices, model, by, at) ??
        findPrice(prices, model, asked, at) ??
        current
      return costOf(row, usage)
    },
    generate: (_, sent, signal) => callOpenAi(settings, sent, signal),
    probe: (signal) =>
      probeEndpoint(
        (request) => callOpenAi(settings, requestBody(request, bodySettings), signal),
        endpoint,
      ),
  }
}

/** The address alone: it is stored and logged. */
function withoutLogin(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) return baseUrl
  const url = new URL(baseUrl)
  if (url.username === '' && url.password === '') return baseUrl
  url.username = ''
  url.password = ''
  return url.href
}
