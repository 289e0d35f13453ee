import { termsOf } from './terms.ts'

/**
 * How alike two texts are, 0 to 1: the cosine of their TF-IDF vectors over stems, parts of words and
 * pairs of words. 1 for equal texts, and for those without a word in them only then; the same whichever
 * text comes first, in every locale.
 */
export function tfidfSimilarity(a: string, b: string): number {
  if (a === b) return 1
  // Sums depend on the order in which numbers are added.
  const [x, y] = a < b ? [termsOf(a), termsOf(b)] : [termsOf(b), termsOf(a)]
  const idf = (term: string) => Math.log(3 / (x.has(term) && y.has(term) ? 3 : 2)) + 1
  const length = (terms: ReadonlyMap<string, number>) => {
    let sum = 0
    for (const [term, count] of terms) sum += (count * idf(term)) ** 2
    return Math.sqrt(sum)
  }
  let dot = 0
  for (const [term, count] of x) dot += count * (y.get(term) ?? 0) * idf(term) ** 2
  const lengths = length(x) * length(y)
  return lengths === 0 ? 0 : Math.min(1, dot / lengths)
}
