import { reportContent, type ReportDraft } from '@almanac/documents'
import { variantBrief } from '@almanac/domain'
import type { EngineRequest } from '@almanac/pipeline'
import { improveReport } from './improve-report.ts'

/**
 * The answer to a call of the kind `variant`: its brief is a `VariantBrief` as JSON, its first input the
 * content of the report to improve. Undefined when either is something else.
 */
export function reportVariant({
  package: runPackage,
  call,
  inputs: [document],
}: Pick<EngineRequest, 'package' | 'call' | 'inputs'>): ReportDraft | undefined {
  const brief = variantBrief.safeParse(jsonOf(call.brief))
  const content = reportContent.safeParse(jsonOf(document))
  return brief.success && content.success
    ? improveReport(runPackage, content.data, brief.data)
    : undefined
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
