import type { Likeness } from '@almanac/domain'
import { semanticSimilarity, type Embed } from '@almanac/refinement'
import type { CallContext, CallPorts } from '../calls/call-engine.ts'
import type { Ports } from '../ports.ts'
import { Elsewhere } from '../stage.ts'
import { embedTexts } from './embed-texts.ts'

export type LikenessPorts = CallPorts & Pick<Ports, 'embedder'>

/** Well below the time of the stage that asks. */
const embedMs = 15_000

/** Of the prose of two documents. */
export interface Said {
  before: string
  after: string
}

/**
 * How alike two documents are in what they say: by the embedding model where one is set up, in one call
 * that is held and settled inside the run's budget, else by their words. Where that call does not answer,
 * words are compared too, and why is told: nothing is waited for, and no run ends by it. Elsewhere:
 * another worker has the call open.
 */
export async function likenessOf(
  context: CallContext,
  { before, after }: Said,
  ports: LikenessPorts,
  signal: AbortSignal,
): Promise<Likeness | Elsewhere> {
  const { embedder } = ports
  if (!embedder || before === after || before === '' || after === '')
    return byWords(before, after, null)
  const by = { ...ports, embedder }
  const asked = { part: 'likeness', texts: [before, after] }
  const embedded = await embedTexts(context, asked, by, signal, embedMs)
  if (embedded instanceof Elsewhere) return embedded
  if ('why' in embedded) return byWords(before, after, embedded.why)
  const vectors = new Map([before, after].map((text, i) => [text, embedded.vectors[i] ?? []]))
  const embed: Embed = (texts) => Promise.resolve(texts.map((text) => vectors.get(text) ?? []))
  const { value, method } = await semanticSimilarity(before, after, { embed, signal })
  return { value: rounded(value), method, model: embedder.model, note: null }
}

async function byWords(before: string, after: string, note: string | null): Promise<Likeness> {
  const { value, method } = await semanticSimilarity(before, after)
  return { value: rounded(value), method, model: null, note: note && note.slice(0, 500) }
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
