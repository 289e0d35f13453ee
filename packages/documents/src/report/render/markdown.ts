import type { RenderInput } from '../../kind.ts'
import { escapeMarkdown as md, markdownLink } from '../../render/escape-markdown.ts'
import { changesBlocks, changesLineBlocks } from '../../render/markdown-changes.ts'
import { provenanceRows } from '../../render/provenance.ts'
import { itemKinds, type ReportContent } from '../schema.ts'
import { coverageMatrix, type CoverageMatrix } from './matrix.ts'
import {
  conformanceSentences,
  methodSentences,
  quietSentence,
  scoreText,
  warningSentence,
} from './method.ts'
import {
  countText,
  kindCount,
  reportView,
  stopped,
  type ItemView,
  type ReportView,
  type SectionView,
  type StatementView,
} from './view.ts'
import type { SourceView } from './sources.ts'

/**
 * A report as Markdown (CommonMark with tables). Every text is escaped: the only links are those to
 * the http and https addresses of sources; there is no image and no HTML.
 */
export function renderReportMarkdown(input: RenderInput<ReportContent>): string {
  const view = reportView(input)
  const { metadata, evaluation, package: runPackage } = input
  const warnings = warningSentence(input)
  const blocks = [
    `# ${md(view.title)}`,
    view.marks.length > 0 && view.marks.map(({ word }) => `**${word}**`).join(' · '),
    md(view.kicker),
    [view.periodKey, view.window].flatMap((part) => (part === null ? [] : md(part))).join(' · '),
    `> ${md(view.notice)} Engine: ${md(view.engine)}.`,
    '## In brief',
    list(view.summary.map(statement)),
    ...changesLineBlocks(view.changes),
    '## Coverage',
    ...matrixBlocks(coverageMatrix(view, runPackage)),
    '## Signals',
    signalTable(view),
    ...view.sections.flatMap((section) => sectionBlocks(section, quietSentence(runPackage))),
    ...changesBlocks(view.changes),
    '## Sources',
    view.sources.length > 0
      ? view.sources.map(sourceLine).join('\n')
      : 'No source is cited: there was nothing to report.',
    '## Method and score',
    [
      ...methodSentences(runPackage),
      ...conformanceSentences(evaluation),
      ...(warnings === undefined ? [] : [warnings]),
    ]
      .map(md)
      .join(' '),
    table(
      ['Metric', 'Weight', 'Value'],
      evaluation.metrics.map(({ name, weight, value }) => [
        md(name),
        scoreText(weight),
        scoreText(value),
      ]),
    ),
    '## Provenance',
    list(provenanceRows(metadata).map(({ label, value }) => `${label}: ${md(value)}`)),
  ]
  return `${blocks.filter((block) => block !== false).join('\n\n')}\n`
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

const citations = (numbers: readonly number[]): string => numbers.map((n) => `[${n}]`).join(' ')

function statement({ text, citations: numbers, sample }: StatementView): string {
  const cited = numbers.length > 0 ? ` ${citations(numbers)}` : ''
  return `${md(stopped(text))}${cited}${sample ? ' (SAMPLE)' : ''}`
}

const kindNames = {
  fact: 'Fact',
  interpretation: 'Interpretation',
  implication: 'Implication',
} as const

function itemLine(item: ItemView): string {
  const place = `**${kindNames[item.kind]}** · ${md(item.region)} · ${md(item.link)}`
  return `${place}: ${statement(item)}`
}

function sectionBlocks(section: SectionView, quietText: string): string[] {
  const { label, quiet, items } = section
  const heading = `## ${md(label)}`
  if (quiet) return [heading, md(quietText)]
  return [
    heading,
    `${countText(section)}: items reported, and items of evidence in the window.`,
    list(items.map(itemLine)),
  ]
}

function matrixBlocks({ rowAxis, rows, columns, cells, total, folded }: CoverageMatrix): string[] {
  const name = ({ label, tag }: CoverageMatrix['rows'][number]) =>
    tag ? `${md(label)} (${tag})` : md(label)
  const number = (value: number | null) => (value === null ? '–' : String(value))
  return [
    'Items reported by deliverable and region; 0 is none, – is not selected in this run.',
    table(
      [rowAxis, ...columns.map(name), 'All'],
      [
        ...rows.map((row, r) => [name(row), ...(cells[r] ?? []).map(number), number(row.total)]),
        ['All', ...columns.map((column) => number(column.total)), String(total)],
      ],
    ),
    ...folded.map(({ label, names }) => `${md(label)}: ${md(names.join(', '))}.`),
  ]
}

function signalTable({ sections }: ReportView): string {
  return table(
    [
      'Deliverable',
      'Facts',
      'Interpretations',
      'Implications',
      'Items reported',
      'Evidence in the window',
    ],
    sections.map((section) => [
      md(section.label),
      ...itemKinds.map((kind) => String(kindCount(section, kind))),
      String(section.items.length),
      String(section.evidence),
    ]),
  )
}

function sourceLine(source: SourceView): string {
  const { number, publisher, date, title, link, sample, evidence } = source
  const name = link ? `${markdownLink(title, link.href)} (${md(link.host)})` : md(stopped(title))
  const ids = evidence.map(({ id }) => md(id)).join(', ')
  return `${number}. ${sample ? '**SAMPLE** ' : ''}${md(publisher)}, ${date}. ${name} ${ids}`
}
