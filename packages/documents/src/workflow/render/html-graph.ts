import { html, type Html } from '@almanac/domain/html'
import type { ModuleView, WorkflowView } from './view.ts'

const pitch = 30
const axis = 190
const mostLabelCharacters = 52

/**
 * The modules as lines in their order, and an arc from each to those that depend on it: a picture for
 * any number of modules that needs no script.
 */
export function dependencies({ modules }: WorkflowView): Html {
  const picture =
    modules.length > 0 ? chart(modules) : html`<p>There is no module, so nothing depends.</p>`
  return html`<section id="dependencies" aria-labelledby="h-dependencies">
    <h2 id="h-dependencies">Dependencies</h2>
    ${picture}
  </section> `
}

function chart(modules: readonly ModuleView[]): Html {
  const rowOf = new Map(modules.map(({ anchor }, row) => [anchor, row]))
  const arcs = modules.flatMap(({ dependsOn }, to) =>
    dependsOn.flatMap(({ anchor }) => {
      const from = rowOf.get(anchor)
      return from === undefined || from === to ? [] : [arc(from, to)]
    }),
  )
  return html`<figure>
    <div class="scroll" tabindex="0" role="region" aria-label="Dependency chart">
      <svg
        role="img"
        viewBox="0 0 640 ${modules.length * pitch}"
        aria-labelledby="t-dependencies"
        aria-describedby="v-dependencies"
      >
        <title id="t-dependencies">Modules and what they depend on</title>
        <desc id="v-dependencies">${modules.map(describe).join(' ')}</desc>
        ${arcs}${modules.map(node)}
      </svg>
    </div>
    <figcaption>
      Modules in an order in which each comes after what it depends on; an arc leads to what
      depends.
    </figcaption>
  </figure>`
}

const describe = ({ number, name, dependsOn }: ModuleView): string =>
  `${number} ${name}: ${dependsOn.length > 0 ? `depends on ${dependsOn.map((one) => one.number).join(', ')}` : 'depends on nothing'}.`

const middle = (row: number): number => row * pitch + pitch / 2

function node({ number, name }: ModuleView, row: number): Html {
  const text = `${number} ${name}`
  const shown =
    text.length > mostLabelCharacters ? `${text.slice(0, mostLabelCharacters - 1)}…` : text
  return html`<rect
      class="f"
      x="${axis}"
      y="${middle(row) - 5}"
      width="10"
      height="10"
      fill="#174A84"
    /><text x="${axis + 20}" y="${middle(row) + 5}">${shown}</text>`
}

function arc(from: number, to: number): Html {
  const reach = Math.min(axis - 12, 26 + 22 * Math.abs(to - from))
  const [start, end] = [middle(from) + 3, middle(to) - 3]
  const left = axis - reach
  return html`<path
    class="e"
    d="M${axis - 2} ${start}C${left} ${start} ${left} ${end} ${axis - 4} ${end}m-6 -4l6 4l-6 4"
    fill="none"
    stroke="#55534D"
    stroke-width="1.5"
  />`
}
