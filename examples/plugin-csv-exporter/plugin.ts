import { definePlugin, type ExporterHook } from '@almanac/plugin-api'
import { z } from 'zod'

/** What this exporter reads of a report. */
const report = z.object({
  sections: z.array(
    z.object({
      deliverable: z.string(),
      items: z.array(
        z.object({
          kind: z.string(),
          region: z.string(),
          link: z.string(),
          text: z.string(),
          evidence: z.array(z.string()),
        }),
      ),
    }),
  ),
})

/** A line a statement, so that a reader can sort and count them in a spreadsheet. */
export const csvExporter: ExporterHook = {
  format: 'csv',
  kinds: ['report'],
  export({ content, metadata }) {
    const { sections } = report.parse(content)
    const statements = sections.flatMap(({ deliverable, items }) =>
      items.map(({ kind, region, link, text, evidence }) => [
        ...[deliverable, kind, region, link, text],
        evidence.join(' '),
      ]),
    )
    const mark = metadata.test ? 'TEST RUN' : ''
    const facts = [metadata.periodKey ?? '', metadata.runId, metadata.classification, mark]
    const lines = [
      ['deliverable', 'kind', 'region', 'link', 'text', 'evidence'],
      ...statements,
      ['document', ...facts, metadata.notice],
    ]
    return `${lines.map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`
  },
}

// What moves a cursor, ends a line or turns the direction of reading.
const unseen = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu

/** One quoted cell on one line. A spreadsheet takes what begins with a sign for a formula: not here. */
function cellOf(text: string): string {
  const line = text.replace(unseen, ' ').toWellFormed().trim()
  const inert = line.replace(/(^|[,;])(\s*)([=+\-@])/g, "$1$2'$3")
  return `"${inert.replaceAll('"', '""')}"`
}

export default definePlugin({
  name: 'csv-exporter',
  apiVersion: 1,
  hooks: { exporters: [csvExporter] },
})
