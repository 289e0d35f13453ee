import { html, joined, noHtml, type Html } from '@almanac/domain/html'
import { changesLine } from '../../render/html-changes.ts'
import {
  countText,
  stopped,
  type ItemView,
  type ReportView,
  type SectionView,
  type StatementView,
} from './view.ts'

/** The summary, a sentence a line, and how much is new. */
export function brief({ summary, changes }: ReportView): Html {
  const lines = summary.map((line) => html`<li>${statement(line)}</li>`)
  return html`<section class="brief" id="brief" aria-labelledby="h-brief">
    <h2 id="h-brief">In brief</h2>
    <ul>
      ${lines}
    </ul>
    ${changesLine(changes)}
  </section> `
}

/** A section for each deliverable; a quiet one says so in one sentence. */
export function itemSections({ sections }: ReportView, quietText: string): Html[] {
  return sections.map((section) => {
    const id = `d-${section.key}`
    return html`<section id="${id}" aria-labelledby="h-${id}">
      <h2 id="h-${id}">${section.label}</h2>
      ${section.quiet ? html`<p>${quietText}</p>` : itemList(section)}
    </section> `
  })
}

const itemList = (section: SectionView): Html =>
  html`<p class="count">
      ${countText(section)}: items reported, and items of evidence in the window.
    </p>
    <ul class="items">
      ${section.items.map(item)}
    </ul>`

const kinds = {
  fact: html`<b><i class="k"></i>Fact</b>`,
  interpretation: html`<b><i class="k kn"></i>Interpretation</b>`,
  implication: html`<b><i class="k km"></i>Implication</b>`,
} as const

function item(view: ItemView): Html {
  const { id, kind, region, link, sample } = view
  return html`<li id="${id}">
    <p class="tag">
      ${kinds[kind]} · ${region} · ${link}${sample ? html` ${sampleMark}` : undefined}
    </p>
    <p>${statement(view, kind !== 'fact')}</p>
  </li> `
}

export const sampleMark = html`<mark>SAMPLE</mark>`

/** A statement with its citations; a reading of facts says what it rests on. */
function statement({ text, titles, citations }: StatementView, isReading = false): Html {
  const cited = citations.map((n) => html`<a href="#s${n}" aria-label="Source ${n}">[${n}]</a>`)
  const quoted = withTitles(stopped(text), titles)
  if (cited.length === 0) return quoted
  if (!isReading) return html`${quoted} ${joined(cited, ' ')}`
  const last = cited.length - 1
  const rests =
    last === 0
      ? joined(cited, '')
      : html`${joined(cited.slice(0, last), ', ')} and ${cited[last] ?? noHtml}`
  return html`${quoted} From ${rests}.`
}

/** `text` with the titles that it quotes in full marked as titles. */
function withTitles(text: string, titles: readonly string[]): Html {
  const title = titles.find((candidate) => candidate.length > 3 && text.includes(candidate))
  if (title === undefined) return html`${text}`
  const at = text.indexOf(title)
  return html`${withTitles(text.slice(0, at), titles)}<cite>${title}</cite>${withTitles(text.slice(at + title.length), titles)}`
}
