import { AlmanacError } from '@almanac/domain'
import { tfidfSimilarity } from './tfidf.ts'

/** The vectors of texts, in their order, all of one length; rejects as a call to an engine does. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly number[][]>

/** How alike two texts are, 0 to 1, and by what it was measured: numbers of two methods do not compare. */
export interface Similarity {
  value: number
  method: 'embedding' | 'tfidf'
}

/**
 * How alike two texts are in what they mean: by the provider's embeddings where `embed` is given, else
 * by TF-IDF, offline. 1 for equal texts, for which nothing is asked; symmetric. Rejects with what
 * `embed` rejects with, and OUTPUT_INVALID when it does not give two vectors of one length.
 */
export async function semanticSimilarity(
  a: string,
  b: string,
  { embed, signal }: { embed?: Embed | undefined; signal?: AbortSignal } = {},
): Promise<Similarity> {
  signal?.throwIfAborted()
  if (!embed) return { value: tfidfSimilarity(a, b), method: 'tfidf' }
  if (a === b) return { value: 1, method: 'embedding' }
  // One order, so that a provider whose vectors depend on their place in the request does no harm.
  const texts = a < b ? [a, b] : [b, a]
  const [x, y, ...more] = await embed(texts, signal ?? new AbortController().signal)
  if (!x || !y || more.length > 0 || x.length !== y.length || x.length === 0)
    throw new AlmanacError('OUTPUT_INVALID', { findings: [notComparable([x, y, ...more])] })
  return { value: cosine(x, y), method: 'embedding' }
}

function notComparable(vectors: readonly (readonly number[] | undefined)[]) {
  const lengths = vectors.map((vector) => String(vector?.length ?? 0)).join(', ')
  const message = `must be two vectors of one length for two texts, are vectors of the lengths ${lengths}`
  return { code: 'SCHEMA_INVALID', path: '/embeddings', message }
}

/** Vectors that point away from each other are as unlike as those that share nothing. */
function cosine(x: readonly number[], y: readonly number[]): number {
  let [dot, xx, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i += 1) {
    const [p, q] = [x[i] ?? 0, y[i] ?? 0]
    dot += p * q
    xx += p * p
    yy += q * q
  }
  const lengths = Math.sqrt(xx) * Math.sqrt(yy)
  return lengths > 0 ? Math.min(1, Math.max(0, dot / lengths)) : 0
}
