import { AlmanacError, type Industry, type RunPackage } from '@almanac/domain'
import { createScopeScanner, type ScopeScanner } from '@almanac/industries'
import type { DocumentKind } from '../kind.ts'
import { comparableReport } from './comparable.ts'
import { reportJsonSchema } from './json-schema.ts'
import { evaluateReport } from './metrics.ts'
import { composeReportOutline, reportOutline } from './outline.ts'
import { reportScope } from './package-index.ts'
import { draftCall, reportPrompt } from './prompt.ts'
import { readReport } from './read.ts'
import { renderReportHtml } from './render/html.ts'
import { renderReportJson } from './render/json.ts'
import { renderReportMarkdown } from './render/markdown.ts'
import { reportContent, reportSchemaVersion, type ReportContent } from './schema.ts'
import { validateReport } from './validate.ts'

/** What the kinds need of the outside: whole catalogues, by the hash that stands in a package. */
export interface KindPorts {
  industryByHash: (hash: string) => Industry | undefined
}

/**
 * The document kind `report`. It is pure: the catalogue that OUT_OF_SCOPE_TEXT reads is fixed by the
 * hash in the package. Validation throws NOT_FOUND when nobody has that catalogue any more.
 */
export function createReportKind({ industryByHash }: KindPorts): DocumentKind<ReportContent> {
  const scannerOf = rememberScanners(industryByHash)
  return {
    name: 'report',
    schemaVersion: reportSchemaVersion,
    instruction: null,
    jsonSchema: reportJsonSchema,
    calls: () => [draftCall],
    prompt: reportPrompt,
    read: (_, answers) => readReport(answers),
    parse: (content) => reportContent.parse(content),
    validate: (content, runPackage) =>
      validateReport({ scanner: scannerOf(runPackage) }, content, runPackage),
    evaluate: evaluateReport,
    outline: reportOutline,
    comparable: comparableReport,
    compose: composeReportOutline,
    render: { json: renderReportJson, markdown: renderReportMarkdown, html: renderReportHtml },
  }
}

const mostScanners = 64

/** Making a scanner costs far more than using it, and specifications come back every period. */
function rememberScanners(
  industryByHash: KindPorts['industryByHash'],
): (runPackage: RunPackage) => ScopeScanner {
  const scanners = new Map<string, ScopeScanner>()
  return (runPackage) => {
    const scope = reportScope(runPackage)
    const { industry: id, version, hash } = runPackage.catalogue ?? {}
    const key = JSON.stringify([hash, scope.deliverables, scope.regions, scope.links])
    const known = scanners.get(key)
    if (known) return known
    const industry = hash === undefined ? undefined : industryByHash(hash)
    if (!industry) {
      const what = id === undefined ? 'catalogue of this run' : `catalogue ${id} ${version}`
      throw new AlmanacError('NOT_FOUND', { what })
    }
    const scanner = createScopeScanner(industry, scope)
    const oldest = scanners.keys().next().value
    if (scanners.size >= mostScanners && oldest !== undefined) scanners.delete(oldest)
    scanners.set(key, scanner)
    return scanner
  }
}
