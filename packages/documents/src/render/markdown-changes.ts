import type { ChangesView } from './changes-view.ts'
import { escapeMarkdown as md } from './escape-markdown.ts'
import { unshownText } from './html-changes.ts'

/** The line about what is new, as a block; none where nothing is said about that. */
export const changesLineBlocks = (view: ChangesView | undefined): string[] =>
  view
    ? [view.details ? `${md(view.line)} (against ${md(view.details.against)})` : md(view.line)]
    : []

/** The blocks of the section `What is new`; none where nothing was compared. */
export function changesBlocks(view: ChangesView | undefined): string[] {
  if (!view?.details) return []
  const { summary, likeness, nothing, added, changed, gone, unshown, against, sample } =
    view.details
  const quoted = (said: string | undefined) =>
    said === undefined ? '' : `: “${md(said)}”${sample ? ' (SAMPLE)' : ''}`
  const lines = [
    ...added.map(
      ({ group, links }) =>
        `- **New** · ${md(group)}: ${links.map(({ name }) => md(name)).join(', ')}`,
    ),
    ...changed.map(({ link, fields, said }) => {
      const before = said === undefined ? '' : `; in ${md(against)}${quoted(said)}`
      return `- **Changed** · ${md(link.group)}: ${md(link.name)} (${md(fields)})${before}`
    }),
    ...gone.map(({ place, said }) => `- **Gone** · ${md(place)}${quoted(said)}`),
  ]
  return [
    '## What is new',
    md([summary, likeness].filter(Boolean).join(' ')),
    nothing === undefined ? lines.join('\n') : md(nothing),
    ...(unshown > 0 ? [md(unshownText(unshown))] : []),
  ]
}
