import type { Axis, EvidenceItem, EvidenceMatch, Industry, Lexicon, Scope } from '@almanac/domain'
import { lexiconIndex, namings, type LexiconIndex } from './lexicon-index.ts'

/** The parts of an evidence item that decide where it belongs. */
export type Matchable = Pick<EvidenceItem, 'title' | 'text' | 'attributes' | 'withdrawn'>

/** The keys an item belongs to on each axis, in the catalogue's order. */
export type MatchedKeys = Record<Axis, string[]>

export interface Matcher {
  /** Where `item` belongs, fallbacks applied; an axis without match and fallback is empty. Total. */
  matches: (item: Matchable) => MatchedKeys
}

/** Creates the matcher of an industry: all its lexicons in one pass over title and text. */
export function createMatcher(industry: Industry): Matcher {
  const index = lexiconIndex(industry)
  const conditions = index.entries.map(({ entry }) => conditionOf(entry.lexicon))
  const byAttribute = indexAttributes(index)

  return {
    matches(item) {
      const flags = phraseFlags(index, item)
      for (const [name, positions] of byAttribute)
        for (const position of positions.get(attribute(item, name)) ?? [])
          raise(flags, position, CHOSEN)

      const matched = new Uint8Array(index.entries.length)
      for (const { position, broader } of index.entries) {
        if (!conditions[position]?.(item, flags[position] ?? 0)) continue
        matched[position] = 1
        for (const around of broader) matched[around] = 1
      }
      const keys: MatchedKeys = { deliverables: [], regions: [], links: [] }
      for (const { axis, position, entry } of index.entries)
        if (matched[position]) keys[axis].push(entry.key)
      for (const { axis, key } of index.fallbacks) if (keys[axis].length === 0) keys[axis].push(key)
      return keys
    },
  }
}

/** Every cell of `scope` that `item` belongs to, in the catalogue's order; empty: out of scope. */
export function matchEvidence(matcher: Matcher, scope: Scope, item: Matchable): EvidenceMatch[] {
  const keys = matcher.matches(item)
  const inScope = (axis: Axis) => keys[axis].filter((key) => scope[axis].includes(key))
  const regions = inScope('regions')
  const links = inScope('links')
  return inScope('deliverables').flatMap((deliverable) =>
    regions.flatMap((region) => links.map((link) => ({ deliverable, region, link }))),
  )
}

/** One of the entry's alternatives holds; its title holds an excluded phrase. */
const CHOSEN = 1
const EXCLUDED = 2

function raise(flags: Uint8Array, position: number, flag: number) {
  flags[position] = (flags[position] ?? 0) | flag
}

function phraseFlags(index: LexiconIndex, { title, text }: Matchable): Uint8Array {
  const flags = new Uint8Array(index.entries.length)
  for (const { entry, role } of namings(index, title))
    raise(flags, entry.position, role === 'excludes' ? EXCLUDED : CHOSEN)
  if (text === '') return flags
  for (const { entry, role } of namings(index, text))
    if (role === 'terms' || role === 'codes') raise(flags, entry.position, CHOSEN)
  return flags
}

/** Attribute name → value → positions of the entries that take the value as an alternative. */
function indexAttributes(index: LexiconIndex): Map<string, Map<string, number[]>> {
  const byName = new Map<string, Map<string, number[]>>()
  for (const { entry, position } of index.entries) {
    for (const [name, values] of Object.entries(entry.lexicon.attributes ?? {})) {
      const byValue = byName.get(name) ?? new Map<string, number[]>()
      byName.set(name, byValue)
      for (const value of values) byValue.set(value, [...(byValue.get(value) ?? []), position])
    }
  }
  return byName
}

type Condition = (item: Matchable, flags: number) => boolean

function conditionOf(lexicon: Lexicon): Condition {
  const { terms, titleTerms, titleHints, codes, attributes = {}, present = [] } = lexicon
  const requires = Object.entries(lexicon.requires ?? {})
  const lists = [terms, titleTerms, titleHints, codes, ...Object.values(attributes)]
  const alternatives = lists.some((list) => list !== undefined && list.length > 0)
  if (!alternatives && requires.length === 0 && present.length === 0) return () => false

  return (item, flags) =>
    (flags & EXCLUDED) === 0 &&
    (!alternatives || (flags & CHOSEN) !== 0) &&
    requires.every(([name, values]) => values.includes(attribute(item, name))) &&
    present.every((name) => attribute(item, name).trim() !== '')
}

/** An attribute's value, '' when it is missing; `withdrawn` is one that every item has. */
function attribute({ attributes, withdrawn }: Matchable, name: string): string {
  const value = Object.hasOwn(attributes, name) ? (attributes[name] ?? '') : ''
  return name === 'withdrawn' ? String(withdrawn || value === 'true') : value
}
