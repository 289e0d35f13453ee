import { AlmanacError } from '@almanac/domain'
import type { Outcome } from '@almanac/pipeline'
import { z } from 'zod'
import { countTokens } from '../tokens.ts'
import type { BodyRequest } from './request-body.ts'
import type { Api } from './settings.ts'

/** What a probe is about. */
export interface ProbedEndpoint {
  /** The base URL, without a login. */
  endpoint: string
  api: Api
  model: string
}

const unknownOr = z.nullable(z.boolean())

/** What an endpoint does of what it is asked; null where its answer did not tell. JSON, to be stored. */
export const endpointProbe = z.object({
  endpoint: z.string(),
  api: z.enum(['responses', 'chat']),
  model: z.string(),
  /** The model that says it answered; null when none did. */
  servedModel: z.nullable(z.string()),
  /** Whether an answer kept to the JSON schema against the instruction not to. */
  schemaEnforced: unknownOr,
  /** Whether usage is told; where it is not, it is counted here. */
  usageReturned: unknownOr,
  /** Whether an answer ended at its limit of tokens. */
  limitHonoured: unknownOr,
  /** What an operator should know, a sentence each. */
  problems: z.array(z.string()),
})
export type EndpointProbe = z.output<typeof endpointProbe>

const number = z.strictObject({ number: z.int() })

/** Enough for a reasoning model to get to its answer. */
const schemaRequest: BodyRequest = {
  key: 'probe:1:schema',
  prompt: {
    instructions: 'Answer every message with the one word hello. Never answer with JSON.',
    input: 'Say hello.',
  },
  jsonSchema: {
    type: 'object',
    properties: { number: { type: 'integer' } },
    required: ['number'],
    additionalProperties: false,
  },
  maxOutputTokens: 1_000,
}

const limit = 16
const limitRequest: BodyRequest = {
  key: 'probe:2:limit',
  prompt: {
    instructions: 'Count aloud, and put what you say into the field "said".',
    input: 'Count from one to two hundred, in words.',
  },
  jsonSchema: {
    type: 'object',
    properties: { said: { type: 'string' } },
    required: ['said'],
    additionalProperties: false,
  },
  maxOutputTokens: limit,
}

/** Probes an endpoint; see `OpenAiEngine.probe`. Throws ENGINE_MISCONFIGURED. */
export async function probeEndpoint(
  call: (request: BodyRequest) => Promise<Outcome>,
  endpoint: ProbedEndpoint,
): Promise<EndpointProbe> {
  const schema = await answered(call(schemaRequest))
  const limited = await answered(call(limitRequest))
  const schemaEnforced =
    schema.kind === 'completed' ? number.safeParse(schema.output).success : null
  const usageReturned = 'usage' in schema ? !schema.usage.estimated : null
  const limitHonoured = await honours(limited)
  return {
    ...endpoint,
    servedModel: schema.kind === 'completed' ? schema.served.model : null,
    schemaEnforced,
    usageReturned,
    limitHonoured,
    problems: [
      ...[schema, limited].flatMap(unanswered),
      ...(schemaEnforced === false
        ? ['The server does not enforce the JSON schema: answers may need repairs.']
        : []),
      ...(usageReturned === false
        ? ['The server does not tell usage: costs are estimated from counted tokens.']
        : []),
      ...(limitHonoured === false
        ? [
            'The server does not honour the limit of output tokens: a call may cost more than is held.',
          ]
        : []),
    ],
  }
}

async function answered(call: Promise<Outcome>): Promise<Outcome> {
  const outcome = await call
  if (outcome.kind !== 'misconfigured') return outcome
  const { status, code: reason } = outcome
  throw new AlmanacError('ENGINE_MISCONFIGURED', { engine: 'openai', status, reason })
}

/** A counter of our own may count a few more than the server's tokenizer does. */
async function honours(outcome: Outcome): Promise<boolean | null> {
  if (outcome.kind === 'truncated') return outcome.usage.outputTokens <= 2 * limit
  if (outcome.kind !== 'completed') return null
  return (await countTokens(JSON.stringify(outcome.output) ?? '')) <= 2 * limit
}

function unanswered(outcome: Outcome): string[] {
  switch (outcome.kind) {
    case 'not_billed':
    case 'unknown':
      return [`The endpoint gave no answer (${outcome.reason}).`]
    case 'billing_stop':
      return [`The provider takes no calls for this account (${outcome.code}).`]
    case 'refused':
    case 'filtered':
      return [`The endpoint’s answer to a harmless question was ${outcome.kind}.`]
    case 'completed':
    case 'truncated':
    case 'misconfigured':
      return []
  }
}
