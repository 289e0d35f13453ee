import { describe, expect, it } from 'vitest'
import { escapeHtml, html, joined, noHtml } from './html.ts'

describe('html', () => {
  it('escapes every value that is not markup, and drops what cannot be seen', () => {
    const made = html`<p title="${'"<\u202e>'}">${'a & b'} ${3} ${undefined}${html`<b>x</b>`}</p>`
    expect(made.markup).toBe('<p title="&quot;&lt;&gt;">a &amp; b 3 <b>x</b></p>')
    expect(escapeHtml("it's \u001b[1m")).toBe('it&#39;s [1m')
  })

  it('leaves out the indentation of its source, not that of its values', () => {
    const made = html`<ul>
      <li>${'a\n   b'}</li>
    </ul>`
    expect(made.markup).toBe('<ul>\n<li>a    b</li>\n</ul>')
  })

  it('joins pieces', () => {
    expect(joined([html`<i>a</i>`, html`b`], ' & ').markup).toBe('<i>a</i> &amp; b')
    expect(html`${[html`a`, noHtml, html`b`]}`.markup).toBe('ab')
  })
})
