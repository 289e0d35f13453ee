import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { likenesses } from './fixtures/pairs.ts'
import { semanticSimilarity, type Embed } from './semantic-similarity.ts'
import { tfidfSimilarity } from './tfidf.ts'

const texts = likenesses.flatMap(({ text, reordered, paraphrased, unrelated }) => [
  text,
  reordered,
  paraphrased,
  unrelated,
])
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...texts, '', ' ', '…', 'ISTANBUL', 'the of and', '東京 気候'),
)

describe('similarity by TF-IDF', () => {
  it.each(likenesses)('ranks what is like “$text”', ({ text, ...others }) => {
    const reordered = tfidfSimilarity(text, others.reordered)
    const paraphrased = tfidfSimilarity(text, others.paraphrased)
    const unrelated = tfidfSimilarity(text, others.unrelated)
    expect(reordered).toBeLessThan(1)
    expect(reordered).toBeGreaterThan(paraphrased)
    expect(paraphrased).toBeGreaterThan(unrelated)
  })

  it('has 20 pairs, and a wide gap between paraphrased and unrelated', () => {
    expect(likenesses).toHaveLength(20)
    const least = Math.min(...likenesses.map((one) => tfidfSimilarity(one.text, one.paraphrased)))
    const most = Math.max(...likenesses.map((one) => tfidfSimilarity(one.text, one.unrelated)))
    expect(least).toBeGreaterThan(2 * most)
  })

  it('is 1 of a text and itself, symmetric, and between 0 and 1', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(tfidfSimilarity(a, a)).toBe(1)
        const value = tfidfSimilarity(a, b)
        expect(tfidfSimilarity(b, a)).toBe(value)
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is 0 of texts without a word', () => {
    expect(tfidfSimilarity('', 'words')).toBe(0)
    expect(tfidfSimilarity('…', '!')).toBe(0)
  })
})

describe('semanticSimilarity', () => {
  const vectors: Record<string, number[]> = {
    up: [1, 0],
    high: [1, 1],
    down: [-1, 0],
    none: [0, 0],
    long: [1, 0, 0],
  }
  const embed: Embed = async (asked) => asked.map((text) => vectors[text] ?? [0, 1])

  it('measures embeddings where there are some, and says by what it measured', async () => {
    const similarity = await semanticSimilarity('up', 'high', { embed })
    expect(similarity).toEqual({ value: expect.closeTo(Math.SQRT1_2, 12), method: 'embedding' })
    expect(await semanticSimilarity('high', 'up', { embed })).toEqual(similarity)
    expect((await semanticSimilarity('up', 'down', { embed })).value).toBe(0)
    expect((await semanticSimilarity('up', 'none', { embed })).value).toBe(0)
    expect(await semanticSimilarity('up', 'high')).toEqual({ value: 0, method: 'tfidf' })
  })

  it('asks for no vectors of equal texts, and always in one order', async () => {
    const asked = vi.fn(embed)
    expect((await semanticSimilarity('up', 'up', { embed: asked })).value).toBe(1)
    expect(asked).not.toHaveBeenCalled()
    await semanticSimilarity('up', 'high', { embed: asked })
    await semanticSimilarity('high', 'up', { embed: asked })
    expect(asked.mock.calls.map(([both]) => both)).toEqual([
      ['high', 'up'],
      ['high', 'up'],
    ])
  })

  it('rejects vectors that do not compare, what the provider rejects, and when it is aborted', async () => {
    await expect(semanticSimilarity('up', 'long', { embed })).rejects.toMatchObject({
      code: 'OUTPUT_INVALID',
    })
    const one: Embed = async () => [[1]]
    await expect(semanticSimilarity('a', 'b', { embed: one })).rejects.toThrow(
      /two vectors of one length/,
    )
    const failure = new Error('no room')
    const failing: Embed = async () => Promise.reject(failure)
    await expect(semanticSimilarity('a', 'b', { embed: failing })).rejects.toBe(failure)
    const signal = AbortSignal.abort(failure)
    await expect(semanticSimilarity('a', 'b', { embed, signal })).rejects.toBe(failure)
  })
})
