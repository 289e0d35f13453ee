import type { Finding } from '@almanac/domain'
import type { OutOfScopeTerm } from '@almanac/industries'
import { clipped } from '../../finding.ts'
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

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/
const zeroWidth = /[\u00ad\u200b\u2060-\u2065\ufeff]/
const live =
  /<[a-z/!?]|!?\[[^\]]*\]\(\s*<?(?:[a-z][a-z0-9+.-]*:|[/#]|www\.)|\b(?:javascript|vbscript)\s*:\s*\S|\bdata:[\w/+.-]*[;,]|&(?:#\d+|#x[0-9a-f]+|lt|gt);/i

/**
 * UNSAFE_TEXT: characters that act on the reader's screen unseen (error), and characters without width
 * or text that looks like markup or an executable link (warning). Every format renders either inert;
 * a warning must not fail the run, or a feed could do so with a title that holds a tag.
 */
export function safetyFindings({ claims }: Judged): Finding[] {
  return claims.flatMap(({ path, text }): Finding[] => {
    const finding = (severity: Finding['severity'], what: string, found: string): Finding[] => [
      {
        code: 'UNSAFE_TEXT',
        severity,
        path: `${path}/text`,
        message: `holds ${what}`,
        expected: 'plain text',
        found,
      },
    ]
    const unseen = control.exec(text)?.[0]
    if (unseen !== undefined)
      return finding('error', 'a control character or an override of direction', codePoint(unseen))
    const hidden = zeroWidth.exec(text)?.[0]
    if (hidden !== undefined)
      return finding('warning', 'a character without width', codePoint(hidden))
    const markup = live.exec(text)
    if (!markup) return []
    const found = text.slice(markup.index, markup.index + 40)
    return finding('warning', 'what looks like markup or an executable link', clipped(found))
  })
}

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
