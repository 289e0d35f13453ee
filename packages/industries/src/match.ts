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
  const conditions = index.entries.map(({ entry }) => compile(entry.lexicon))

  return {
    matches(item) {
      const named = namedEntries(index, item)
      const matched = new Uint8Array(index.entries.length)
      for (const { position, broader } of index.entries) {
        if (!conditions[position]?.(item, named[position] ?? 0)) continue
        matched[position] = 1
        for (const around of broader) matched[around] = 1
      }
      const keys: MatchedKeys = { deliverables: [], regions: [], links: [] }
      for (const { axis, position, entry } of index.entries)
        if (matched[position]) keys[axis].push(entry.key)
      for (const { axis, entry } of index.entries)
        if (entry.fallback && keys[axis].length === 0) keys[axis].push(entry.key)
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

const NAMED = 1
const EXCLUDED = 2

/** For each entry, whether the item names it and whether its title holds an excluded phrase. */
function namedEntries(index: LexiconIndex, item: Matchable): Uint8Array {
  const flags = new Uint8Array(index.entries.length)
  const mark = (position: number, flag: number) => {
    flags[position] = (flags[position] ?? 0) | flag
  }
  for (const { entry, role } of namings(index, item.title))
    mark(entry.position, role === 'excludes' ? EXCLUDED : NAMED)
  if (item.text === '') return flags
  for (const { entry, role } of namings(index, item.text))
    if (role === 'terms' || role === 'codes') mark(entry.position, NAMED)
  return flags
}

type Condition = (item: Matchable, flags: number) => boolean

function compile(lexicon: Lexicon): Condition {
  const { terms, titleTerms, titleHints, codes, present = [] } = lexicon
  const phrases = [terms, titleTerms, titleHints, codes].some((list) => list && list.length > 0)
  const attributes = valueSets(lexicon.attributes)
  const requires = valueSets(lexicon.requires)
  const alternatives = phrases || attributes.length > 0
  const conditional = alternatives || requires.length > 0 || present.length > 0
  if (!conditional) return () => false

  return (item, flags) =>
    (flags & EXCLUDED) === 0 &&
    (!alternatives ||
      (flags & NAMED) !== 0 ||
      attributes.some(([name, values]) => values.has(attribute(item, name)))) &&
    requires.every(([name, values]) => values.has(attribute(item, name))) &&
    present.every((name) => attribute(item, name).trim() !== '')
}

const valueSets = (attributes: Record<string, string[]> = {}) =>
  Object.entries(attributes).map(([name, values]) => [name, new Set(values)] as const)

/** An attribute's value, '' when it is missing; `withdrawn` is one that every item has. */
function attribute({ attributes, withdrawn }: Matchable, name: string): string {
  const value = Object.hasOwn(attributes, name) ? (attributes[name] ?? '') : ''
  return name === 'withdrawn' ? String(withdrawn || value === 'true') : value
}
