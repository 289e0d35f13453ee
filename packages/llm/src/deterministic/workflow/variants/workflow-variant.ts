import { workflowContent, type WorkflowDraft } from '@almanac/documents'
import type { EngineRequest } from '@almanac/pipeline'
import { readVariantAsk } from '../../variant-ask.ts'
import { improveWorkflow } from './improve-workflow.ts'

/** The answer to a call for a variant of a workflow; undefined when that is not what it asks for. */
export function workflowVariant(
  request: Pick<EngineRequest, 'package' | 'call' | 'inputs'>,
): WorkflowDraft | undefined {
  const ask = readVariantAsk(request)
  const content = workflowContent.safeParse(ask?.document)
  return ask && content.success
    ? improveWorkflow(request.package, content.data, ask.brief)
    : undefined
}
