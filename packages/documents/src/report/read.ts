import { isStorable, type Finding } from '@almanac/domain'
import { invalid, oneSpace, parsedText, refuse, schemaFindings } from '../read-answer.ts'
import { withItemIds } from './item-id.ts'
import { reportDraft, reportSchemaVersion, type ReportContent, type ReportDraft } from './schema.ts'

export type ReadReport =
  { content: ReportContent; findings: [] } | { content: undefined; findings: Finding[] }

/**
 * Reads the engine's one answer, a JSON value or its text, whatever the engine claims about it. White
 * space in statements is made one space; nothing else is changed. Findings are all SCHEMA_INVALID.
 */
export function readReport(answers: readonly unknown[]): ReadReport {
  if (answers.length !== 1)
    return refuse([invalid([], 'a report is read from one answer', '1', String(answers.length))])
  const answer = parsedText(answers[0])
  const result = reportDraft.safeParse(answer)
  if (!result.success) return refuse(schemaFindings(result.error, answer))
  const draft = withPlainSpaces(result.data)
  const findings = textFindings(draft)
  if (findings.length > 0) return refuse(findings)
  const content: ReportContent = {
    kind: 'report',
    schemaVersion: reportSchemaVersion,
    summary: draft.summary,
    sections: withItemIds(draft.sections),
  }
  return { content, findings: [] }
}

function withPlainSpaces({ summary, sections }: ReportDraft): ReportDraft {
  return {
    summary: summary.map((line) => ({ ...line, text: oneSpace(line.text) })),
    sections: sections.map((section) => ({
      ...section,
      items: section.items.map((item) => ({ ...item, text: oneSpace(item.text) })),
    })),
  }
}

/** Statements that are blank, and text that neither JSON nor the database can hold. */
function textFindings({ summary, sections }: ReportDraft): Finding[] {
  const statements = [
    ...summary.map((line, i) => ({ path: ['summary', i], line })),
    ...sections.flatMap(({ items }, s) =>
      items.map((line, i) => ({ path: ['sections', s, 'items', i], line })),
    ),
  ]
  const keys = sections.flatMap(({ deliverable, items }, s) => [
    { path: ['sections', s, 'deliverable'], text: deliverable },
    ...items.flatMap(({ region, link }, i) => [
      { path: ['sections', s, 'items', i, 'region'], text: region },
      { path: ['sections', s, 'items', i, 'link'], text: link },
    ]),
  ])
  const texts = statements.flatMap(({ path, line }) => [
    { path: [...path, 'text'], text: line.text },
    ...line.evidence.map((text, e) => ({ path: [...path, 'evidence', e], text })),
  ])
  return [
    ...statements
      .filter(({ line }) => line.text === '')
      .map(({ path }) => invalid([...path, 'text'], 'must not be blank', 'text', '""')),
    ...[...texts, ...keys]
      .filter(({ text }) => !isStorable(text))
      .map(({ path, text }) =>
        invalid(
          path,
          'holds a NUL or half of a character, which cannot be stored',
          'well-formed text',
          JSON.stringify(text),
        ),
      ),
  ]
}
