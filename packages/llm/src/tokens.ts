/** A run of letters without a space costs the square of its length to split; pieces bound that. */
const pieceLength = 4_000

/**
 * Counts the tokens of a text as OpenAI's current models do (o200k_base, of gpt-4o and everything
 * after), whatever it holds; a long text may count a token more every 4,000 characters. The tokenizer
 * takes 60 MB and 0.2 s, so it is loaded when the first text is counted: most providers tell usage.
 */
export async function countTokens(text: string): Promise<number> {
  const { countTokens: count } = await import('gpt-tokenizer/encoding/o200k_base')
  let tokens = 0
  for (let from = 0; from < text.length; from += pieceLength)
    tokens += count(text.slice(from, from + pieceLength), allText)
  return tokens
}

/** Evidence may spell special tokens such as <|endoftext|>; they are text like any other. */
const allText = { disallowedSpecial: new Set<string>() }

/**
 * Tokens that a text takes at most, at two bytes a token: prose takes four, a run package three, and
 * what takes less than two (base64, rare scripts) is no report's evidence. A hold is made from this,
 * on every call, where counting would cost milliseconds; the settlement takes the provider's count.
 */
export const tokensAtMost = (text: string): number => Math.ceil(Buffer.byteLength(text) / 2)
