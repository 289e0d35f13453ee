/** How many characters (UTF-16 units) the simulator takes for one token. */
export const charactersPerToken = 4

/** The simulator's tokens of a text: a quarter of its characters, rounded up. */
export const countTokens = (text: string): number => Math.ceil(text.length / charactersPerToken)

/** The first `tokens` tokens of `text`, never ending within a character. */
export function firstTokens(text: string, tokens: number): string {
  const end = tokens * charactersPerToken
  return end >= text.length ? text : text.slice(0, isHighSurrogate(text, end - 1) ? end - 1 : end)
}

/** `text` in pieces of `tokens` tokens each, the last one shorter; no piece ends within a character. */
export function* piecesOf(text: string, tokens: number): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = start + tokens * charactersPerToken
    if (isHighSurrogate(text, end - 1)) end += 1
    yield text.slice(start, end)
    start = end
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit <= 0xdbff
}
