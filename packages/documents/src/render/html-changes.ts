import type { ChangesView, ElementLink } from './changes-view.ts'
import { html, joined, noHtml, type Html } from '@almanac/domain/html'

/** The line about what is new, for the part `In brief`; it leads to the section of the same name. */
export function changesLine(view: ChangesView | undefined): Html {
  if (!view) return noHtml
  const { line, details } = view
  return details
    ? html`<p class="meta"><a href="#changes">${line}</a> (against ${details.against})</p>`
    : html`<p class="meta">${line}</p>`
}

/** The section `What is new`; nothing where nothing was compared, which the line has said. */
export function changesSection(view: ChangesView | undefined): Html {
  if (!view?.details) return noHtml
  const { summary, likeness, nothing, added, changed, gone, unshown, against, sample } =
    view.details
  const quoted = (said: string | undefined, lead = ''): Html =>
    said === undefined
      ? noHtml
      : html`<p>${lead}“${said}”${sample ? html` <mark>SAMPLE</mark>` : undefined}</p>`
  const entries = [
    ...added.map(
      ({ group, links }) =>
        html`<li>
          <p class="tag"><b>New</b> · ${group}: ${joined(links.map(linkTo), ', ')}</p>
        </li>`,
    ),
    ...changed.map(
      ({ link, fields, said }) =>
        html`<li>
          <p class="tag"><b>Changed</b> · ${link.group}: ${linkTo(link)} (${fields})</p>
          ${quoted(said, `In ${against}: `)}
        </li>`,
    ),
    ...gone.map(
      ({ place, said }) =>
        html`<li>
          <p class="tag"><b>Gone</b> · ${place}</p>
          ${quoted(said)}
        </li>`,
    ),
  ]
  return html`<section id="changes" aria-labelledby="h-changes">
    <h2 id="h-changes">What is new</h2>
    <p class="count">${[summary, likeness].filter(Boolean).join(' ')}</p>
    ${
      nothing === undefined
        ? html`<ul class="items">
            ${entries}
          </ul>`
        : html`<p>${nothing}</p>`
    }
    ${unshown > 0 ? html`<p>${unshownText(unshown)}</p>` : undefined}
  </section> `
}

const linkTo = ({ anchor, name }: ElementLink): Html => html`<a href="#${anchor}">${name}</a>`

export const unshownText = (count: number): string =>
  `And ${count} more, which the JSON of this document lists.`
