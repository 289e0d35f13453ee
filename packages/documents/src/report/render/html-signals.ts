import { html, type Html } from '@almanac/domain/html'
import { countText, kindCount, type ReportView, type SectionView } from './view.ts'

const mostBars = 12
const mostLabelCharacters = 27
const bar = { left: 206, width: 340, height: 18, pitch: 30 } as const

/** A bar a deliverable: what kinds of items were reported, in front of the evidence that there was. */
export function signals({ sections }: ReportView): Html {
  const most = Math.max(...sections.map(({ items, evidence }) => Math.max(items.length, evidence)))
  return html`<section id="signals" aria-labelledby="h-signals">
    <h2 id="h-signals">Signals</h2>
    ${most > 0 ? chart(sections, most) : html`<p>Nothing to show: no item was reported, and the window holds no evidence.</p>`}
  </section> `
}

function chart(sections: readonly SectionView[], most: number): Html {
  const shown = sections.slice(0, mostBars)
  const more = sections.length - shown.length
  const height = shown.length * bar.pitch
  const described = sections.map(describe).join(' ')
  return html`<figure>
    <div class="scroll" tabindex="0" role="region" aria-label="Signal chart">
      <svg
        role="img"
        viewBox="0 0 640 ${height}"
        aria-labelledby="t-signals"
        aria-describedby="v-signals"
      >
        <title id="t-signals">Items reported by deliverable and kind</title>
        <desc id="v-signals">${described}</desc>
        ${shown.map((section, i) => row(section, i * bar.pitch, bar.width / most))}
      </svg>
    </div>
    <figcaption>
      Items reported: <i class="k"></i>fact, <i class="k kn"></i>interpretation,
      <i class="k km"></i>implication. The outline <i class="k ke"></i>is the evidence in the
      window; the numbers are items reported and items of
      evidence.${more > 0 ? ` And ${more} more deliverables.` : ''}
    </figcaption>
  </figure>`
}

function describe(section: SectionView): string {
  const { label } = section
  const [facts, interpretations, implications] = counts(section)
  return `${label}: ${facts} facts, ${interpretations} interpretations, ${implications} implications, ${countText(section)}.`
}

const counts = (section: SectionView): [number, number, number] => [
  kindCount(section, 'fact'),
  kindCount(section, 'interpretation'),
  kindCount(section, 'implication'),
]

/** Coordinates have one decimal, so that equal reports have equal bytes. */
const at = (value: number): number => Math.round(value * 10) / 10

function row(section: SectionView, top: number, unit: number): Html {
  const { label, items, evidence } = section
  const [facts, interpretations, implications] = counts(section)
  const middle = top + bar.pitch / 2
  const y = middle - bar.height / 2
  const first = bar.left
  const second = first + facts * unit
  const third = second + interpretations * unit
  const end = bar.left + Math.max(items.length, evidence) * unit
  const name =
    label.length > mostLabelCharacters ? `${label.slice(0, mostLabelCharacters - 1)}…` : label
  return html`<text x="0" y="${middle + 5}">${name}</text
    >${evidence > 0 ? outline('e', '#55534D', bar.left, y, evidence * unit, 1) : undefined}${facts > 0 ? html`<rect class="f" x="${at(first)}" y="${y}" width="${at(facts * unit)}" height="${bar.height}" fill="#174A84" />` : undefined}${interpretations > 0 ? hatched(second, y, interpretations * unit) : undefined}${implications > 0 ? outline('m', '#6B2A6E', third, y, implications * unit, 2) : undefined}<text
      x="${at(end + 8)}"
      y="${middle + 5}"
      >${countText(section)}</text
    > `
}

/** A hollow bar whose line lies inside its bounds. */
function outline(
  name: string,
  stroke: string,
  x: number,
  y: number,
  width: number,
  line: number,
): Html {
  const inner = Math.max(0.1, width - line)
  return html`<rect
    class="${name}"
    x="${at(x + line / 2)}"
    y="${at(y + line / 2)}"
    width="${at(inner)}"
    height="${bar.height - line}"
    fill="none"
    stroke="${stroke}"
    stroke-width="${line}"
  />`
}

/** A hatched bar without a pattern, which would need an address: one thick, dashed line in an outline. */
const hatched = (x: number, y: number, width: number): Html =>
  html`<path
      class="n"
      d="M${at(x)} ${y + bar.height / 2}h${at(width)}"
      stroke="#B07A14"
      stroke-width="${bar.height}"
      stroke-dasharray="2 2"
    />${outline('n', '#B07A14', x, y, width, 2)}`
