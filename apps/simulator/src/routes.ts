import { checkKey } from './admission.ts'
import type { Handler, Route } from './http/router.ts'
import { embeddingsHandler } from './serve-embeddings.ts'
import { generationHandler } from './serve-generation.ts'
import type { Simulation } from './simulation.ts'
import { apiErrors } from './wire/api-error.ts'
import { chatWire } from './wire/chat-wire.ts'
import { responsesWire } from './wire/responses-wire.ts'

/** The provider's API, as far as the simulator plays it. Another API is another line here. */
export function providerRoutes(simulation: Simulation): Route[] {
  const { models, stored } = simulation
  const withKey =
    (handle: Handler): Handler =>
    (exchange, parameters) => {
      checkKey(exchange, simulation)
      return handle(exchange, parameters)
    }
  const gone: Handler = () => {
    throw apiErrors.assistantsGone()
  }
  const storedAnswer = (id = ''): object => {
    const answer = stored.get(id)
    if (!answer) throw apiErrors.responseUnknown(id)
    return answer
  }
  return [
    {
      method: 'POST',
      path: responsesWire.path,
      handle: generationHandler(responsesWire, simulation),
    },
    { method: 'POST', path: chatWire.path, handle: generationHandler(chatWire, simulation) },
    { method: 'POST', path: '/v1/embeddings', handle: embeddingsHandler(simulation) },
    {
      method: 'GET',
      path: '/v1/responses/:id',
      handle: withKey((exchange, { id }) => exchange.sendJson(200, storedAnswer(id))),
    },
    {
      method: 'DELETE',
      path: '/v1/responses/:id',
      handle: withKey((exchange, { id = '' }) => {
        storedAnswer(id)
        stored.delete(id)
        exchange.sendJson(200, { id, object: 'response', deleted: true })
      }),
    },
    {
      method: 'GET',
      path: '/v1/models',
      handle: withKey((exchange) =>
        exchange.sendJson(200, { object: 'list', data: models.list() }),
      ),
    },
    {
      method: 'GET',
      path: '/v1/models/:id',
      handle: withKey((exchange, { id = '' }) => exchange.sendJson(200, models.get(id))),
    },
    { method: '*', path: '/v1/assistants', handle: gone },
    { method: '*', path: '/v1/assistants/*', handle: gone },
    { method: '*', path: '/v1/threads', handle: gone },
    { method: '*', path: '/v1/threads/*', handle: gone },
  ]
}
