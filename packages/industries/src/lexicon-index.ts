import { axes, type Axis, type CatalogueEntry, type Industry } from '@almanac/domain'
import { words } from './folding.ts'
import { plainText } from './plain-text.ts'
import { createPhraseTrie, type PhraseTrie } from './phrase-trie.ts'

/** What a phrase does for its entry, named as the lexicon's fields are. */
export const phraseRoles = ['terms', 'titleTerms', 'titleHints', 'excludes', 'notWithin'] as const
type PhraseRole = (typeof phraseRoles)[number]

/** One phrase or code of one entry, where the text names it: words [start, end), −1 for codes. */
export interface Naming {
  entry: IndexedEntry
  role: PhraseRole | 'codes'
  /** As the author wrote it. */
  term: string
  start: number
  end: number
}

/** A catalogue entry with its place among all entries of its industry. */
export interface IndexedEntry {
  axis: Axis
  position: number
  entry: CatalogueEntry
  /** Positions of the entries that also get what this one matches, nearest first. */
  broader: readonly number[]
}

/** An industry's lexicons, ready to be searched for all at once. */
export interface LexiconIndex {
  entries: readonly IndexedEntry[]
  fallbacks: readonly { axis: Axis; key: string }[]
  trie: PhraseTrie<Omit<Naming, 'start' | 'end'>>
  codes: ReadonlyMap<string, readonly IndexedEntry[]>
}

// "Emmonak, AK", "Washington, DC-MD-VA": a place, a comma, codes; not "Americas LLC, TN-68". In a
// text that is all capitals they cannot be told from words ("VESSELS, OR BARGES") and are not read.
const addressCodes =
  /(?<=[\p{L}\p{N}.)]),\s*([A-Z]{2,3}(?:[-/][A-Z]{2,3})*)(?![\p{L}\p{N}]|[-/][\p{L}\p{N}])/gu

const indexes = new WeakMap<Industry, LexiconIndex>()

/** The index of `industry`, built once. */
export function lexiconIndex(industry: Industry): LexiconIndex {
  let index = indexes.get(industry)
  if (!index) indexes.set(industry, (index = build(industry)))
  return index
}

function build(industry: Industry): LexiconIndex {
  const entries: IndexedEntry[] = []
  for (const axis of axes) {
    const offset = entries.length
    for (const entry of industry[axis]) {
      const broader = broaderKeys(industry[axis], entry).map(
        (key) => offset + industry[axis].findIndex((other) => other.key === key),
      )
      entries.push({ axis, position: entries.length, entry, broader })
    }
  }
  const trie = createPhraseTrie<Omit<Naming, 'start' | 'end'>>()
  const codes = new Map<string, IndexedEntry[]>()
  for (const indexed of entries) {
    const { lexicon } = indexed.entry
    for (const role of phraseRoles) {
      for (const term of lexicon[role] ?? []) {
        const phrase = words(term)
        if (phrase.length > 0) trie.add(phrase, { entry: indexed, role, term })
      }
    }
    for (const code of lexicon.codes ?? []) codes.set(code, [...(codes.get(code) ?? []), indexed])
  }
  const fallbacks = entries
    .filter(({ entry }) => entry.fallback)
    .map(({ axis, entry }) => ({ axis, key: entry.key }))
  return { entries, fallbacks, trie, codes }
}

/** Keys of the entries around `entry` by `within`, nearest first; unknown and circular ones end it. */
export function broaderKeys(axis: readonly CatalogueEntry[], entry: CatalogueEntry): string[] {
  const keys: string[] = []
  for (let at = entry.within; at !== undefined;) {
    const key = at
    const broader = axis.find((other) => other.key === key)
    if (!broader || key === entry.key || keys.includes(key)) break
    keys.push(key)
    at = broader.within
  }
  return keys
}

/** Everything of the catalogue that `text` names, without phrases inside a longer `notWithin` one; codes last. */
export function namings(index: LexiconIndex, text: string): Naming[] {
  const plain = plainText(text)
  const found: Naming[] = []
  const shields: Naming[] = []
  index.trie.scan(words(plain), ({ entry, role, term }, start, end) => {
    const list = role === 'notWithin' ? shields : found
    list.push({ entry, role, term, start, end })
  })
  const open = shields.length === 0 ? found : unshielded(found, shields)
  if (index.codes.size > 0) open.push(...codesIn(index, plain))
  return open
}

/** `found` without what lies inside a shield of its own entry; both are sorted by their start. */
function unshielded(found: readonly Naming[], shields: readonly Naming[]): Naming[] {
  const cover = new Map<IndexedEntry, { spans: Naming[]; next: number; reach: number }>()
  for (const shield of shields) {
    const own = cover.get(shield.entry) ?? { spans: [], next: 0, reach: 0 }
    cover.set(shield.entry, own)
    own.spans.push(shield)
  }
  return found.filter(({ entry, start, end }) => {
    const own = cover.get(entry)
    if (!own) return true
    for (let span = own.spans[own.next]; span && span.start <= start; span = own.spans[own.next]) {
      own.reach = Math.max(own.reach, span.end)
      own.next++
    }
    return end > own.reach
  })
}

function codesIn(index: LexiconIndex, plain: string): Naming[] {
  if (!plain.includes(',') || !/\p{Ll}/u.test(plain)) return []
  const found: Naming[] = []
  for (const [, codes = ''] of plain.matchAll(addressCodes))
    for (const term of codes.split(/[-/]/))
      for (const entry of index.codes.get(term) ?? [])
        found.push({ entry, role: 'codes', term, start: -1, end: -1 })
  return found
}
