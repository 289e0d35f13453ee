import { visibleText } from '@almanac/domain'

/** Characters that mean something inside a line, in CommonMark and its usual extensions. */
const special = /[\\`*_[\]{}|~$^<>&]|!(?=\[)/g
const entities: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }

/** What bare addresses begin with, or have inside: scheme, `www.`, and a name with a dot in it. */
const bareAddress = /:(?=\/\/)|(?<=[\p{L}\p{N}])\.(?=\p{L})/gu
/** What begins a heading, a list, a quote, a rule or a table where it begins a line. */
const lineStart = /^(?:[#+\-=!]|\d+(?=[.)]))/

/**
 * `text` as inert inline Markdown on one line: no markup, no link, no image, no HTML comes alive in
 * it. It is safe at the start of a line and in a table's cell, but not inside a link's destination.
 */
export function escapeMarkdown(text: string): string {
  // Indentation makes code, two spaces at an end make a new line.
  const visible = visibleText(text).replace(/ {2,}/g, ' ').trim()
  // A word with an @ becomes a link to mail or to a person, escaped or not; as code it does not.
  const escaped = visible.includes('@')
    ? visible
        .split(/([\w.+-]*@[\w.+-]*)/)
        .map((part, i) => (i % 2 === 1 ? `\`${part}\`` : escapePlain(part)))
        .join('')
    : escapePlain(visible)
  return escaped.replace(lineStart, (found) => (/\d/.test(found) ? `${found}\\` : `\\${found}`))
}

function escapePlain(text: string): string {
  return text
    .replace(special, (character) => entities[character] ?? `\\${character}`)
    .replace(bareAddress, (character) => `\\${character}`)
}

/** A link of our own: `href` must come from `safeLink`, and `text` may be anything. */
export function markdownLink(text: string, href: string): string {
  // Some readers decode character references in an address, some do not: none may look like one.
  return `[${escapeMarkdown(text)}](<${href.replace(/&(#?\w+);/g, '&$1%3B')}>)`
}
