/** Words that say little about what a text is about. */
const functionWords = new Set(
  'a an and are as at be been but by for from had has have he her his if in into is it its may more no nor not of on or our shall she should so such than that the their them then there these they this those to under until upon was we were what when which while who will with would you'.split(
    ' ',
  ),
)

/** Endings that make no other word of it, the longest first. */
const endings = [
  ['ications', 'ic'],
  ['ification', 'if'],
  ['izations', 'iz'],
  ['ization', 'iz'],
  ['ations', 'at'],
  ['ation', 'at'],
  ['ments', ''],
  ['ment', ''],
  ['ities', ''],
  ['ness', ''],
  ['ings', ''],
  ['ions', ''],
  ['ates', 'at'],
  ['ated', 'at'],
  ['izes', 'iz'],
  ['ized', 'iz'],
  ['ing', ''],
  ['ion', ''],
  ['ies', 'y'],
  ['ers', ''],
  ['ity', ''],
  ['ate', 'at'],
  ['ize', 'iz'],
  ['ed', ''],
  ['es', ''],
  ['er', ''],
  ['ly', ''],
  ['al', ''],
  ['s', ''],
  ['e', ''],
] as const

const shortestStem = 3

/** A word without its ending: `inspected`, `inspection` and `inspects` are one. */
function stem(word: string): string {
  for (const [ending, instead] of endings)
    if (word.endsWith(ending) && word.length - ending.length >= shortestStem)
      return word.slice(0, word.length - ending.length) + instead
  return word
}

/** The weight of each kind of term; what is said counts most, its order a little. */
const weights = { word: 1, letters: 0.3, pair: 0.35 }

const lettersAtOnce = 4

/**
 * The terms of a text, each with its weight: stems of its words, sequences of four letters within them,
 * which words of one family share, and pairs of neighbouring words, which change with their order.
 */
export function termsOf(text: string): ReadonlyMap<string, number> {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  const told = words.filter((word) => !functionWords.has(word))
  // Most words of a document come more than once: each is taken apart once.
  const stemOf = new Map<string, string>()
  const stems = (told.length > 0 ? told : words).map((word) => {
    const known = stemOf.get(word) ?? stem(word)
    stemOf.set(word, known)
    return known
  })
  const terms = new Map<string, number>()
  const add = (term: string, weight: number) => terms.set(term, (terms.get(term) ?? 0) + weight)
  const counts = new Map<string, number>()
  stems.forEach((word, i) => {
    counts.set(word, (counts.get(word) ?? 0) + 1)
    const next = stems[i + 1]
    if (next !== undefined) add(`p ${word} ${next}`, weights.pair)
  })
  for (const [word, count] of counts) {
    add(`w ${word}`, weights.word * count)
    for (let at = 0; at + lettersAtOnce <= word.length; at += 1)
      add(`l ${word.slice(at, at + lettersAtOnce)}`, weights.letters * count)
  }
  return terms
}
