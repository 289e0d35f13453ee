import { admit, json, playInstead, receive } from './admission.ts'
import type { Handler } from './http/router.ts'
import type { Simulation } from './simulation.ts'
import { embeddingsAnswer, embeddingTokens, readEmbeddingsRequest } from './wire/embeddings.ts'

/** Answers POST /v1/embeddings. */
export function embeddingsHandler(simulation: Simulation): Handler {
  return async (exchange) => {
    const { settings, models, clock } = simulation
    const { body, entry } = await receive(exchange, simulation)
    const request = readEmbeddingsRequest(json(exchange, body))
    entry.model = request.model
    const model = models.served(request.model)
    const tokens = embeddingTokens(request)
    const usage = { inputTokens: tokens, cachedTokens: 0, outputTokens: 0 }
    const load = { body, model: request.model, tokens, generates: false }
    const fault = admit(exchange, simulation, load)
    if (await playInstead(exchange, fault, request.model, usage)) return

    entry.billed = usage
    if (!(await clock.wait(settings.latency.firstByteMs, exchange.gone))) return
    entry.told = usage
    exchange.sendJson(200, embeddingsAnswer(request, model, settings.seed))
  }
}
