import { visibleText } from '@almanac/domain'
import type { Change, ChangeType } from './changes.ts'
import { summarised } from './counts.ts'
import type { Diff } from './diff.ts'
import { shownFields, shownParent, shownPlace } from './shown.ts'

const signs: Record<ChangeType, string> = { added: '+', removed: '-', changed: '~', moved: '>' }

/**
 * A diff as plain text, a line for each element and each of its fields. Nothing in it is unseen: what
 * a document holds cannot act on a terminal, nor begin a line of its own.
 */
export function renderDiffText({ changes }: Pick<Diff, 'changes'>): string {
  return [summarised(changes), ...changes.flatMap(linesOf)].map((line) => `${line}\n`).join('')
}

function linesOf(change: Change): string[] {
  const { type, level, id, newId, from, to } = change
  const name = newId === undefined ? id : `${id} (now ${newId})`
  const head = visibleText(`${signs[type]} ${level} ${name}${shownParent(change)}`)
  if (from && to) return [`${head}: ${visibleText(`${shownPlace(from)} -> ${shownPlace(to)}`)}`]
  const fields = shownFields(change).flatMap(({ name: field, before, after }) => [
    ...(before === undefined ? [] : [`  - ${visibleText(`${field}: ${before}`)}`]),
    ...(after === undefined ? [] : [`  + ${visibleText(`${field}: ${after}`)}`]),
  ])
  return [head, ...fields]
}
