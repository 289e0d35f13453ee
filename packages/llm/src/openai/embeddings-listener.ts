import { z } from 'zod'
import { nothingHeard, type Listener } from './listener.ts'

const answer = z.object({
  data: z.array(
    z.object({ index: z.int().min(0), embedding: z.union([z.array(z.number()), z.base64()]) }),
  ),
})
const told = z.object({
  model: z.string().optional().catch(undefined),
  usage: z
    .object({ prompt_tokens: z.int().min(0) })
    .nullish()
    .catch(undefined),
})

/**
 * Creates a listener to embeddings, which come whole. What is heard is the JSON of `{ vectors }`: in the
 * order of the texts, each the base64 of 32-bit floats, in which a vector takes a third of its digits.
 * An answer that is none is heard as it came, for the caller's parser to refuse: it was billed.
 */
export function createEmbeddingsListener(): Listener {
  const heard = nothingHeard()
  return {
    heard,
    // Nothing streams embeddings: a stream ends without its last event.
    hear: () => undefined,
    hearWhole(whole) {
      const { model, usage } = told.safeParse(whole).data ?? {}
      heard.model = model
      if (usage) {
        const inputTokens = usage.prompt_tokens
        heard.usage = { inputTokens, cachedInputTokens: 0, outputTokens: 0, estimated: false }
      }
      const vectors = vectorsOf(whole)
      heard.text = JSON.stringify(vectors ? { vectors } : whole)
      heard.end = 'completed'
    },
  }
}

/** Undefined for an answer that is none, or that has not one vector for each place. */
function vectorsOf(whole: unknown): string[] | undefined {
  const data = answer.safeParse(whole).data?.data.toSorted((a, b) => a.index - b.index)
  if (!data?.every(({ index }, i) => index === i)) return undefined
  return data.map(({ embedding }) =>
    typeof embedding === 'string' ? embedding : base64Of(embedding),
  )
}

function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4))
  return bytes.toString('base64')
}
