import type { DocumentMetadata } from '@almanac/domain'
import { html, type Html } from '@almanac/domain/html'
import type { Mark } from '../notice.ts'
import { provenanceRows } from './provenance.ts'
import { stylesheet } from './stylesheet.ts'

/** What stands around every HTML document. */
export interface Frame {
  metadata: DocumentMetadata
  /** `Weekly report · Harbour Ltd`. */
  kicker: string
  window: string
  marks: readonly Mark[]
  notice: string
  engine: string
  /** Where the skip link leads: the id of the first part of `main`. */
  first: string
  main: readonly Html[]
}

/** A whole HTML document: no script, no form, no address but those of links to sources. */
export function htmlDocument(frame: Frame): string {
  const { metadata, kicker, window, marks, notice, engine, first, main } = frame
  const test = metadata.test ? 'Test run: ' : ''
  const period = metadata.periodKey === null ? window : metadata.periodKey
  const page = html`<!doctype html>
<html lang="en" data-run="${metadata.title} · ${period}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="classification" content="${metadata.classification}">
<title>${test}${metadata.title}, ${period}</title>
<style>${{ markup: stylesheet }}</style>
</head>
<body${metadata.test ? { markup: ' class="test"' } : undefined}>
<a class="skip" href="#${first}">Skip to the content</a>
<header>
<p class="over">${kicker}</p>
<h1>${metadata.title}</h1>
<p class="period">${metadata.periodKey === null ? undefined : html`<b>${metadata.periodKey}</b>`}${window}</p>
${marks.length > 0 ? html`<p class="mark">${marks.map(({ word }) => html`<b>${word}</b>`)}</p>` : undefined}
<p class="meta">${notice} Engine: ${engine}.</p>
</header>
<main>
${main}
</main>
<footer>${provenance(metadata)}</footer>
</body>
</html>
`
  return page.markup
}

function provenance(metadata: DocumentMetadata): Html {
  const rows = provenanceRows(metadata).map(
    ({ label, value, code }) =>
      html`<dt>${label}</dt>
        <dd>${code ? html`<code>${value}</code>` : value}</dd>`,
  )
  return html`<section aria-labelledby="provenance">
    <h2 id="provenance">Provenance</h2>
    <dl>${rows}</dl>
  </section> `
}
