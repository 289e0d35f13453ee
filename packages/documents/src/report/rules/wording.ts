import type { Finding } from '@almanac/domain'
import type { OutOfScopeTerm } from '@almanac/industries'
import { clipped } from '../../finding.ts'
import { unsafeText } from '../../unsafe-text.ts'
import type { Judged } from './rule.ts'

/**
 * OUT_OF_SCOPE_TEXT: a statement names an entry of the catalogue that the run does not cover (error).
 * What the title of a cited item names is no finding: the item is in scope, and its title is what it
 * is called. What only its text or attributes name is a warning: the report strays, but not by invention.
 */
export function scopeFindings({ claims, index, scanner }: Judged): Finding[] {
  const scanned = new Map<string, Set<string>>()
  const namesIn = (text: string): Set<string> => {
    let names = scanned.get(text)
    if (!names) scanned.set(text, (names = new Set(scanner.scan(text).map(nameOf))))
    return names
  }
  return claims.flatMap(({ path, text, cites }): Finding[] => {
    const hits = scanner.scan(text)
    if (hits.length === 0) return []
    const cited = cites.flatMap((id) => index.evidence.get(id) ?? [])
    return hits.flatMap((hit): Finding[] => {
      const name = nameOf(hit)
      // Also a title in capitals, in which codes of states are not recognised, is quoted as it stands.
      const isNamed = ({ title }: { title: string }) =>
        namesIn(title).has(name) || title.toLowerCase().includes(hit.term.toLowerCase())
      if (cited.some(isNamed)) return []
      const isCited = cited.some((item) =>
        [item.text, ...Object.values(item.attributes)].some((other) => namesIn(other).has(name)),
      )
      return [
        {
          code: 'OUT_OF_SCOPE_TEXT',
          severity: isCited ? 'warning' : 'error',
          path: `${path}/text`,
          message: `names ${JSON.stringify(clipped(hit.term))} of the ${singular[hit.axis]} ${hit.key}, which this run does not cover`,
          expected: `only ${hit.axis} of the run’s scope`,
          found: clipped(hit.term),
        },
      ]
    })
  })
}

const singular = { deliverables: 'deliverable', regions: 'region', links: 'link' } as const
const nameOf = ({ axis, key, term }: OutOfScopeTerm) => `${axis}/${key}/${term.toLowerCase()}`

/** UNSAFE_TEXT of every statement. */
export function safetyFindings({ claims }: Judged): Finding[] {
  return claims.flatMap(({ path, text }) => unsafeText(`${path}/text`, text))
}
