import type { Finding } from '@almanac/domain'
import { clipped } from './finding.ts'

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
export function unsafeText(path: string, text: string): Finding[] {
  const finding = (severity: Finding['severity'], what: string, found: string): Finding[] => [
    {
      code: 'UNSAFE_TEXT',
      severity,
      path,
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
}

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
