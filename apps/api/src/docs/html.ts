/** Markup that was made by `html`, and by nothing else. */
export interface Html {
  readonly markup: string
}

type Part = string | number | Html | readonly Html[] | false | undefined

const references: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => references[character] ?? '')

function markupOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escaped(part)
  if ('markup' in part) return part.markup
  return part.map(({ markup }) => markup).join('')
}

/** Markup with every value escaped that is not itself markup; attributes must be quoted. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html => ({
  markup: strings.map((text, i) => text + markupOf(parts[i])).join(''),
})

/** Text whose `words` in backticks are code. */
export const prose = (text: string): Html => ({
  markup: text
    .split('`')
    .map((piece, i) => (i % 2 === 1 ? `<code>${escaped(piece)}</code>` : escaped(piece)))
    .join(''),
})
