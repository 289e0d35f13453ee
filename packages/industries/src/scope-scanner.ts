import type { Axis, Industry, Scope } from '@almanac/domain'
import { lexiconIndex, namings, type IndexedEntry, type Naming } from './lexicon-index.ts'

/** A catalogue entry outside the scope, and the term by which a text names it. */
export interface OutOfScopeTerm {
  axis: Axis
  key: string
  term: string
}

export interface ScopeScanner {
  /** What `text` names outside the scope, each entry and term once, in the text's order, codes last. */
  scan: (text: string) => OutOfScopeTerm[]
}

/**
 * Creates a scanner for text that must stay inside `scope`. Names are terms, title terms and codes.
 * No hit: a fallback, an entry around or below one of the scope, and a term that stands inside a
 * phrase of the scope.
 */
export function createScopeScanner(industry: Industry, scope: Scope): ScopeScanner {
  const index = lexiconIndex(industry)
  const inScope = (position: number) => {
    const indexed = index.entries[position]
    return indexed !== undefined && scope[indexed.axis].includes(indexed.entry.key)
  }
  const covered = new Set(
    index.entries
      .filter(({ position, broader }) => inScope(position) || broader.some(inScope))
      .flatMap(({ position, broader }) => [position, ...(inScope(position) ? broader : [])]),
  )
  const isCovered = ({ position }: IndexedEntry) => covered.has(position)

  return {
    scan(text) {
      const found = namings(index, text)
      const inside = found.filter((naming) => isCovered(naming.entry))
      const outside = found.filter(
        (naming) =>
          speaks.has(naming.role) &&
          !isCovered(naming.entry) &&
          naming.entry.entry.fallback !== true &&
          !inside.some((other) => contains(other, naming)),
      )
      const hits = new Map<string, OutOfScopeTerm>()
      for (const { entry, term } of outside) {
        const hit = { axis: entry.axis, key: entry.entry.key, term }
        const id = JSON.stringify(hit)
        if (!hits.has(id)) hits.set(id, hit)
      }
      return [...hits.values()]
    },
  }
}

/** The roles by which running text speaks of an entry; `titleHints` are made not to. */
const speaks = new Set<Naming['role']>(['terms', 'titleTerms', 'codes'])

const contains = (outer: Naming, inner: Naming) =>
  outer.role === 'codes' || inner.role === 'codes'
    ? outer.role === inner.role && outer.term === inner.term
    : outer.start <= inner.start && inner.end <= outer.end
