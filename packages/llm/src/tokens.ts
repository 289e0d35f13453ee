/** Counts the tokens of a text as OpenAI's current models do. Never throws, whatever the text holds. */
export type CountTokens = (text: string) => number

/** A run of letters without a space costs the square of its length to split; pieces bound that. */
const pieceLength = 4_000

/**
 * Loads the tokenizer (o200k_base, of gpt-4o and everything after): about 60 MB and 0.2 s, so it is
 * loaded once, by whoever calls a provider. A text longer than a piece may count a token more a piece.
 */
export async function loadTokenCounter(): Promise<CountTokens> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
  // Evidence may spell special tokens such as <|endoftext|>; they are text like any other.
  const options = { disallowedSpecial: new Set<string>() }
  return (text) => {
    let count = 0
    for (let from = 0; from < text.length; from += pieceLength)
      count += countTokens(text.slice(from, from + pieceLength), options)
    return count
  }
}

/**
 * Tokens that a text takes at most, at two bytes a token: prose takes four, a run package three, and
 * what takes less than two (base64, rare scripts) is no report's evidence. A hold is made from this,
 * on every call, where counting would cost milliseconds; the settlement takes the provider's count.
 */
export const tokensAtMost = (text: string): number => Math.ceil(Buffer.byteLength(text) / 2)
