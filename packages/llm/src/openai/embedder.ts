import { AlmanacError, canonicalJson, parse } from '@almanac/domain'
import type { Engine, EngineRequest } from '@almanac/pipeline'
import type { EmbeddingCreateParams } from 'openai/resources/embeddings'
import { z } from 'zod'
import { costOf, findPrice, getPrice } from '../prices.ts'
import { tokensAtMost } from '../tokens.ts'
import { callOpenAi, type CallSettings } from './call.ts'
import { createClient } from './client.ts'
import type { OpenAiPorts } from './engine.ts'
import { openAiUrl, readLimits, type OpenAiOptions } from './settings.ts'

const textList = z.array(z.string().min(1)).min(1)

/**
 * Creates the engine that makes vectors of texts over POST /embeddings: of calls of the kind `embed`, whose
 * one input is the JSON list of the texts. Its requests carry those texts and nothing else of a run. Throws
 * INPUT_INVALID for a model that has no price now, and for limits that are none; a body of a request that
 * names no texts throws it too.
 */
export function createOpenAiEmbedder(
  { now }: OpenAiPorts,
  options: Omit<OpenAiOptions, 'api' | 'tier' | 'parameters'>,
): Engine {
  const { model, prices, provider = 'openai', baseUrl = openAiUrl } = options
  const current = getPrice(prices, model, 'standard', now)
  const settings: CallSettings = {
    client: createClient({ ...options, api: 'responses', baseUrl }),
    api: 'embeddings',
    model,
    tier: undefined,
    limits: readLimits(options.limits),
  }
  const body = (request: EngineRequest) => {
    const params: EmbeddingCreateParams = {
      model,
      input: textsOf(request),
      // Compatible servers have no other; it is what the SDK would ask for only to undo it.
      encoding_format: 'float',
    }
    return canonicalJson({ ...params })
  }
  return {
    name: 'openai',
    model,
    provider,
    body,
    estimate(request, at) {
      const inputTokens = tokensAtMost(body(request))
      const usage = { inputTokens, outputTokens: 0, cachedInputTokens: 0, estimated: true }
      const microUsd = costOf(getPrice(prices, model, 'standard', at), usage)
      return { microUsd, tokens: inputTokens }
    },
    price: (usage, served, at) =>
      costOf(
        findPrice(prices, served.model, 'standard', at) ??
          findPrice(prices, model, 'standard', at) ??
          current,
        usage,
      ),
    generate: (_, sent, signal) => callOpenAi(settings, sent, signal),
  }
}

function textsOf({ inputs: [list] }: EngineRequest): string[] {
  if (list === undefined) {
    const message = 'must be the list of texts to embed: the call names none'
    throw new AlmanacError('INPUT_INVALID', { issues: [{ field: 'inputs', message }] })
  }
  return parse(textList, JSON.parse(list), 'inputs')
}
