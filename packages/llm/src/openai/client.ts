import OpenAI from 'openai'
import { openAiUrl, type OpenAiOptions } from './settings.ts'

/** The most that is read of an answer that is an error. */
const errorBytes = 65_536

/**
 * Creates the SDK's client. It retries nothing, logs nothing, and reads nothing from the environment:
 * whatever it would look for there is given.
 */
export const createClient = ({ apiKey, baseUrl = openAiUrl }: OpenAiOptions): OpenAI =>
  new OpenAI({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    // A redirect would carry the prompt to an address that nobody configured.
    fetchOptions: { redirect: 'manual' },
    fetch: async (url, init) => shortened(await fetch(url, init)),
  })

/** The SDK reads the body of an error whole; this one ends after `errorBytes`. */
function shortened(response: Response): Response {
  if (response.ok || !response.body) return response
  let left = errorBytes
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left))
        left -= chunk.byteLength
        if (left <= 0) controller.terminate()
      },
    }),
  )
  const { status, statusText, headers } = response
  return new Response(body, { status, statusText, headers })
}
