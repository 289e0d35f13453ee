import { html, noHtml, type Html } from '@almanac/domain/html'
import type { CoverageMatrix, MatrixHead } from './matrix.ts'

/** The coverage matrix: items reported by deliverable and region, with sums. */
export function coverage({ rowAxis, rows, columns, cells, total, folded }: CoverageMatrix): Html {
  const notes = folded.map(
    ({ label, names }) => html`<p class="meta">${label}: ${names.join(', ')}.</p>`,
  )
  return html`<section id="coverage" aria-labelledby="h-coverage">
    <h2 id="h-coverage">Coverage</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Coverage table">
      <table>
        <caption>
          <span
            >Items reported by deliverable and region. Shades: 1–2, 3–5, 6–10, 11 or more; – is not
            selected in this run.</span
          >
        </caption>
        <thead>
          <tr>
            <th scope="col">${rowAxis}</th>
            ${columns.map((column) => html`<th scope="col">${head(column)}</th>`)}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map((row, r) => bodyRow(row, cells[r] ?? []))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            ${columns.map((column) => html`<td>${number(column.total)}</td>`)}
            <td>${total}</td>
          </tr>
        </tfoot>
      </table>
    </div>
    ${notes}
  </section> `
}

const bodyRow = (row: MatrixHead, values: readonly (number | null)[]): Html =>
  html`<tr>
    <th scope="row">${head(row)}</th>
    ${values.map(cell)}
    <td class="sum">${number(row.total)}</td>
  </tr> `

const head = ({ label, section, tag }: MatrixHead): Html =>
  html`${section === undefined ? label : html`<a href="#d-${section}">${label}</a>`}${tag === undefined ? noHtml : html` <i>${tag}</i>`}`

const number = (value: number | null): string => (value === null ? '–' : String(value))

/** Fixed thresholds, so that shades of two reports mean the same. */
const shade = (value: number): number => (value < 3 ? 1 : value < 6 ? 2 : value < 11 ? 3 : 4)

const cell = (value: number | null): Html =>
  value ? html`<td class="s${shade(value)}">${value}</td>` : html`<td>${number(value)}</td>`
