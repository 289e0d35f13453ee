import { reportContent, type ReportDraft } from '@almanac/documents'
import type { EngineRequest } from '@almanac/pipeline'
import { readVariantAsk } from '../variant-ask.ts'
import { improveReport } from './improve-report.ts'

/** The answer to a call for a variant of a report; undefined when that is not what it asks for. */
export function reportVariant(
  request: Pick<EngineRequest, 'package' | 'call' | 'inputs'>,
): ReportDraft | undefined {
  const ask = readVariantAsk(request)
  const content = reportContent.safeParse(ask?.document)
  return ask && content.success
    ? improveReport(request.package, content.data, ask.brief)
    : undefined
}
