import { variantBrief, type VariantBrief } from '@almanac/domain'
import type { EngineRequest } from '@almanac/pipeline'

/** What a call of the kind `variant` asks for. */
export interface VariantAsk {
  brief: VariantBrief
  /** The content of the document to improve, of whatever kind. */
  document: unknown
}

/**
 * Reads a call of the kind `variant`: its brief is a `VariantBrief` as JSON, its first input the content
 * of the document. Undefined when either is something else.
 */
export function readVariantAsk({
  call,
  inputs: [document],
}: Pick<EngineRequest, 'call' | 'inputs'>): VariantAsk | undefined {
  const brief = variantBrief.safeParse(jsonOf(call.brief))
  return brief.success ? { brief: brief.data, document: jsonOf(document) } : undefined
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
