import { visibleText } from '@almanac/domain'
import { escapeHtml } from '@almanac/domain/html'
import type { Change } from './changes.ts'
import { summarised } from './counts.ts'
import type { Diff } from './diff.ts'
import { shownFields, shownParent, shownPlace, type ShownField } from './shown.ts'
import { differingWords } from './words.ts'

/**
 * A diff as a fragment of HTML without attributes but fixed classes, without script, style or links.
 * Everything that a document holds is escaped text, without anything unseen.
 */
export function renderDiffHtml({ changes }: Pick<Diff, 'changes'>): string {
  const items = changes.map((change) => `<li class="${change.type}">${markupOf(change)}</li>\n`)
  const list = items.length > 0 ? `<ul>\n${items.join('')}</ul>\n` : ''
  return `<section class="diff">\n<p>${escapeHtml(summarised(changes))}</p>\n${list}</section>\n`
}

function markupOf(change: Change): string {
  const { type, level, id, newId, from, to } = change
  const now = newId === undefined ? '' : ` (now ${newId})`
  const head = `<p><b>${type}</b> ${escapeHtml(`${level} ${id}${now}${shownParent(change)}`)}</p>`
  if (from && to) return `${head}\n<p>${escapeHtml(`${shownPlace(from)} → ${shownPlace(to)}`)}</p>`
  const fields = shownFields(change).map(
    (field) => `<dt>${escapeHtml(field.name)}</dt>\n<dd>${fieldMarkup(field)}</dd>\n`,
  )
  return fields.length > 0 ? `${head}\n<dl>\n${fields.join('')}</dl>` : head
}

function fieldMarkup({ before, after }: ShownField): string {
  if (before === undefined) return `<ins>${escapeHtml(after ?? '')}</ins>`
  if (after === undefined) return `<del>${escapeHtml(before)}</del>`
  // What is unseen is taken out first, so that no piece ends within it.
  return differingWords(visibleText(before), visibleText(after))
    .map(({ text, side }) => `${opening[side]}${escapeHtml(text)}${closing[side]}`)
    .join('')
}

const opening = { both: '', before: '<del>', after: '<ins>' }
const closing = { both: '', before: '</del>', after: '</ins>' }
