import type { RenderInput } from '../../kind.ts'
import { html, joined, noHtml, type Html } from '@almanac/domain/html'
import type { ReportContent } from '../schema.ts'
import { sampleMark } from './html-items.ts'
import { conformanceSentences, methodSentences, warningSentence } from './method.ts'
import { stopped, type ReportView } from './view.ts'
import type { SourceView } from './sources.ts'

/** The cited evidence, in order of first use, each with the way back to what cites it. */
export function sources({ sources: all }: ReportView): Html {
  const list =
    all.length > 0
      ? html`<ol class="sources">
          ${all.map(source)}
        </ol>`
      : html`<p>No source is cited: there was nothing to report.</p>`
  return html`<section id="sources" aria-labelledby="h-sources">
    <h2 id="h-sources">Sources</h2>
    ${list}
  </section> `
}

function source(view: SourceView): Html {
  const { number, publisher, date, title, link, sample, evidence } = view
  const ids = evidence.map(({ id }) => id).join(', ')
  const name = link
    ? html`<a href="${link.href}" rel="noopener noreferrer nofollow" target="_blank">${title}</a>`
    : html`${title}`
  // The stop of a title that is a link would be part of the link.
  const stop = stopped(title) === title ? noHtml : html`.`
  return html`<li id="s${number}">
    ${sample ? html`${sampleMark} ` : undefined}${publisher}, ${date}. <cite>${name}</cite>${stop}
    <span class="meta">${link ? `${link.host} · ` : ''}${ids}${backLinks(view)}</span>
  </li> `
}

function backLinks({ usedBy, inSummary }: SourceView): Html {
  const links = usedBy.map(
    ({ id, number }) => html`<a href="#${id}" aria-label="Item ${number}">↩${number}</a>`,
  )
  if (inSummary) links.unshift(html`<a href="#brief" aria-label="In brief">↩brief</a>`)
  return html` <span class="back">${joined(links, ' ')}</span>`
}

/** How the items were chosen, the conformance score, and what lowered it. */
export function method(input: RenderInput<ReportContent>): Html {
  const { package: runPackage, evaluation } = input
  const warnings = warningSentence(input)
  return html`<section id="method" aria-labelledby="h-method">
    <h2 id="h-method">Method and score</h2>
    <p>${methodSentences(runPackage).join(' ')}</p>
    <p>${conformanceSentences(evaluation).join(' ')}</p>
    ${warnings === undefined ? undefined : html`<p>${warnings}</p>`}
  </section> `
}
