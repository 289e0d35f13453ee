import { stem, wordsOf } from './words.ts'

/** A word of a purpose that says what it is about. */
export interface Term {
  stem: string
  /** As it stands in the purpose, in lower case. */
  word: string
}

/** Words that carry no subject: function words, and verbs and nouns that fit every purpose. */
const empty = new Set(
  `a an the and or but nor of to in on at by for from with without within into onto over under up down
  out off as is are was were be been being am do does did done doing have has had having it its this
  that these those their there they them we our us you your i my he she his her who whom whose which
  what when where why how if then than so such not no only also too very more most less least any
  some all each every both either neither per via about across after against along among around
  before behind below between beyond during except inside near outside since through throughout
  toward towards until upon while can could may might must shall should will would need needs needed
  new make makes made making ensure ensures ensuring enable enables enabling help helps helping
  use uses using used get gets getting provide provides providing support supports supporting
  number amount volume way ways thing things work works process processes procedure procedures workflow workflows guide
  purpose purposes order able well good best better other others same own e.g etc`
    .split(/\s+/)
    .map(stem),
)

/** Longer purposes are judged by so many terms; the first ones say what it is about. */
const mostTerms = 24

/**
 * The terms of a purpose, each once, in its order: its words without the empty ones; all its words where
 * nothing else is left.
 */
export function termsOf(purpose: string): Term[] {
  const terms = new Map<string, Term>()
  const words = wordsOf(purpose).flatMap((word) => [word, ...parts(word)])
  const full = words.filter((word) => !empty.has(stem(word)))
  for (const word of full.length > 0 ? full : words) {
    const key = stem(word)
    if (!terms.has(key)) terms.set(key, { stem: key, word })
  }
  return [...terms.values()].slice(0, mostTerms)
}

const mostRemembered = 4_000
const remembered = new Map<string, ReadonlySet<string>>()

/**
 * The stems of a text, by which terms are found in it; words with a hyphen count as one and apart. The
 * whole and each phase are judged by the same texts: their stems are kept.
 */
export function stemsOf(text: string): ReadonlySet<string> {
  const known = remembered.get(text)
  if (known) return known
  const stems = new Set(wordsOf(text).flatMap((word) => [word, ...parts(word)].map(stem)))
  if (remembered.size >= mostRemembered) remembered.clear()
  remembered.set(text, stems)
  return stems
}

const parts = (word: string): string[] =>
  word.includes('-') ? word.split('-').filter(Boolean) : []
