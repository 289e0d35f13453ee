import { visibleText } from './visible-text.ts'

/** Markup that was made by `html`, and by nothing else. */
export interface Html {
  readonly markup: string
}

export type HtmlPart = string | number | Html | readonly Html[] | false | undefined

const special = /[&<>"']/
const specials = /[&<>"']/g
const references: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** `text` as inert content of an element or of a quoted attribute, without anything unseen. */
export function escapeHtml(text: string): string {
  const visible = visibleText(text)
  return special.test(visible)
    ? visible.replace(specials, (character) => references[character] ?? '')
    : visible
}

function markupOf(part: HtmlPart): string {
  if (part === undefined || part === false) return ''
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escapeHtml(part)
  if ('markup' in part) return part.markup
  let all = ''
  for (const one of part) all += one.markup
  return all
}

const fixedParts = new WeakMap<TemplateStringsArray, readonly string[]>()

/** The fixed parts of a template, without the indentation of the source. */
function fixedPartsOf(strings: TemplateStringsArray): readonly string[] {
  let fixed = fixedParts.get(strings)
  if (!fixed) {
    fixed = strings.map((part) => part.replace(/\s*\n\s*/g, '\n'))
    fixedParts.set(strings, fixed)
  }
  return fixed
}

/** Markup with every value escaped that is not itself markup; attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...parts: HtmlPart[]): Html {
  const fixed = fixedPartsOf(strings)
  let markup = fixed[0] ?? ''
  parts.forEach((part, i) => {
    markup += markupOf(part) + (fixed[i + 1] ?? '')
  })
  return { markup }
}

export const noHtml: Html = { markup: '' }

/** Pieces of markup, one after another, with `separator` between them. */
export function joined(pieces: readonly Html[], separator: string): Html {
  const between = escapeHtml(separator)
  return { markup: pieces.map(({ markup }) => markup).join(between) }
}

/** A text of several lines, for where a document keeps them apart. */
export const lines = (text: string): Html => ({
  markup: text.split('\n').map(escapeHtml).join('\n'),
})
