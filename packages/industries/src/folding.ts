// eslint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/
const asciiWord = /[a-z0-9]+/g
const anyWord = /[\p{L}\p{N}]+/gu
const marks = /\p{M}+/gu

/** Lower, upper, lower: one way alone keeps apart what is the same word (ß and SS). */
const caseless = (text: string) => text.toLowerCase().toUpperCase().toLowerCase()

/** `text` without the differences that matching ignores: case, accents, compatibility forms. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  const base = caseless(text).normalize('NFKD').replace(marks, '')
  // What a Σ becomes depends on its neighbours, and so on punctuation: let it always be σ.
  return caseless(base).replaceAll('ς', 'σ')
}

/** The folded words of `text` in order; whatever is neither letter nor digit only separates them. */
export function words(text: string): string[] {
  const folded = fold(text)
  return folded.match(ascii.test(folded) ? asciiWord : anyWord) ?? []
}
