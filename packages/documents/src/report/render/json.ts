import { canonicalJson } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import type { ReportContent } from '../schema.ts'
import { reportView } from './view.ts'

/**
 * A report as canonical JSON `{ metadata, content, evaluation, findings, sources, changes }`; the sources
 * have the numbers that the other formats cite them by.
 */
export function renderReportJson(input: RenderInput<ReportContent>): string {
  const { metadata, content, evaluation, findings, changes } = input
  const view = reportView(input)
  const sources = view.sources.map((source) => ({
    number: source.number,
    publisher: source.publisher,
    date: source.date,
    title: source.title,
    url: source.link?.href ?? null,
    sample: source.sample,
    evidence: source.evidence.map(({ id, revision, hash, publishedAt }) => ({
      id,
      revision,
      hash,
      publishedAt,
    })),
    inSummary: source.inSummary,
    usedBy: source.usedBy.map(({ id }) => id),
  }))
  return canonicalJson({
    metadata: { ...metadata, notice: view.notice },
    content,
    evaluation,
    findings,
    sources,
    ...(changes && { changes }),
  })
}
