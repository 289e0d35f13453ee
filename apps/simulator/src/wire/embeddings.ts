import type { CreateEmbeddingResponse, EmbeddingCreateParams } from 'openai/resources/embeddings'
import { z } from 'zod'
import { seededNumbers } from '../seeded.ts'
import { countTokens } from '../tokens.ts'
import { invalidParam } from './api-error.ts'
import { readParams } from './read-params.ts'

const tokenList = z.array(z.int().min(0)).min(1)

const shape = {
  model: z.string().min(1),
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(2048),
    tokenList.max(8192),
    z.array(tokenList).min(1).max(2048),
  ]),
  dimensions: z.int().min(1).max(3072).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  user: z.string().optional(),
} satisfies Record<keyof EmbeddingCreateParams, z.ZodType>

const embeddingsRequest = z.strictObject(shape)
export type EmbeddingsRequest = z.output<typeof embeddingsRequest>

const sizes: Record<string, number> = { 'text-embedding-3-large': 3072 }
const usualSize = 1536

/** Reads the body of POST /v1/embeddings; throws ApiError (400). */
export function readEmbeddingsRequest(body: unknown): EmbeddingsRequest {
  const request = readParams(embeddingsRequest, body)
  const most = sizes[request.model] ?? usualSize
  const { dimensions = most, model } = request
  if (model === 'text-embedding-ada-002' && request.dimensions !== undefined)
    throw invalidParam('dimensions', null, 'This model does not support specifying dimensions.')
  if (dimensions > most)
    throw invalidParam(
      'dimensions',
      'integer_above_max_value',
      `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${most}.`,
    )
  return request
}

/** The inputs of a request, each as the texts that its vector is made of. */
export function inputsOf({ input }: EmbeddingsRequest): string[][] {
  if (typeof input === 'string') return [wordsOf(input)]
  if (input.every((one) => typeof one === 'number')) return [input.map(String)]
  return input.map((one) => (typeof one === 'string' ? wordsOf(one) : [one].flat().map(String)))
}

/** Tokens of a request: a quarter of its characters, or the tokens that it lists. */
export function embeddingTokens({ input }: EmbeddingsRequest): number {
  const each = [input].flat(2)
  return each.reduce<number>(
    (sum, one) => sum + (typeof one === 'string' ? countTokens(one) : 1),
    0,
  )
}

/** The answer: a vector of length 1 for each input, alike for texts that share words. */
export function embeddingsAnswer(
  request: EmbeddingsRequest,
  model: string,
  seed: string,
): Record<string, unknown> {
  const size = request.dimensions ?? sizes[request.model] ?? usualSize
  const tokens = embeddingTokens(request)
  const vectors = inputsOf(request).map((words) => vectorOf(words, size, seed))
  const answer: CreateEmbeddingResponse = {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: Array.from(vector),
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
  if (request.encoding_format !== 'base64') return { ...answer }
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: Buffer.from(vector.buffer).toString('base64'),
  }))
  return { ...answer, data }
}

function wordsOf(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
  return words ?? [text]
}

/** How many places of the vector one word moves. */
const placesPerWord = 8

/** A hashed bag of words: each word moves a few places, which it and the seed alone decide. */
function vectorOf(words: readonly string[], size: number, seed: string): Float32Array {
  const vector = new Float32Array(size)
  for (const word of words) {
    const numbers = seededNumbers(seed, 'embedding', word)
    for (let place = 0; place < placesPerWord; place += 1) {
      const at = numbers.integer(0, size - 1)
      vector[at] = (vector[at] ?? 0) + (numbers.next() < 0.5 ? -1 : 1)
    }
  }
  const length = Math.hypot(...vector)
  // Words that cancel each other out leave no direction: then the first place is one.
  if (length === 0) vector[0] = 1
  return length === 0 ? vector : vector.map((value) => value / length)
}
