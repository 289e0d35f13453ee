import { isStorable, type Finding } from '@almanac/domain'
import type { z } from 'zod'
import { clipped, pointer } from '../finding.ts'
import { withItemIds } from './item-id.ts'
import { reportDraft, reportSchemaVersion, type ReportContent, type ReportDraft } from './schema.ts'

export type ReadReport =
  { content: ReportContent; findings: [] } | { content: undefined; findings: Finding[] }

/** So many schema findings say that the answer is something else altogether. */
const mostFindings = 50

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

/** Some servers answer structured output as text; text that is no JSON is left to the schema. */
function parsedText(answer: unknown): unknown {
  if (typeof answer !== 'string') return answer
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

const oneSpace = (text: string) => text.replace(/\s+/g, ' ').trim()

function withPlainSpaces({ summary, sections }: ReportDraft): ReportDraft {
  return {
    summary: summary.map((line) => ({ ...line, text: oneSpace(line.text) })),
    sections: sections.map((section) => ({
      ...section,
      items: section.items.map((item) => ({ ...item, text: oneSpace(item.text) })),
    })),
  }
}

function schemaFindings(error: z.ZodError, answer: unknown): Finding[] {
  return error.issues.map((issue) => {
    const value = issue.path.reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined,
      answer,
    )
    const found = shown(value)
    if (issue.code === 'unrecognized_keys')
      return invalid(issue.path, 'has fields that do not belong here', 'no others', found)
    const expected =
      issue.code === 'invalid_type'
        ? issue.expected
        : issue.code === 'invalid_value'
          ? issue.values.join(', ')
          : undefined
    return invalid(issue.path, issue.message, expected, found)
  })
}

/** What stands in the answer, in few words: an answer may be large, and of any type. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 200))
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object with the fields ${Object.keys(value)
    .slice(0, 12)
    .map((key) => JSON.stringify(key))
    .join(', ')}`
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

function refuse(findings: Finding[]): ReadReport {
  const more = findings.length - mostFindings
  const shown = findings.slice(0, mostFindings)
  if (more > 0) shown.push(invalid([], `${more} more parts of the answer do not fit the schema`))
  return { content: undefined, findings: shown }
}

function invalid(
  path: readonly PropertyKey[],
  message: string,
  expected?: string,
  found?: string,
): Finding {
  return {
    code: 'SCHEMA_INVALID',
    severity: 'error',
    path: pointer(path),
    message,
    ...(expected === undefined ? {} : { expected: clipped(expected) }),
    ...(found === undefined ? {} : { found: clipped(found) }),
  }
}
