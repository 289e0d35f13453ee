import type { DocumentKind } from '../kind.ts'
import { workflowCalls } from './calls.ts'
import { comparableWorkflow } from './comparable.ts'
import { workflowInstruction } from './instruction.ts'
import { workflowCallSchema, workflowJsonSchema } from './json-schema.ts'
import { phasesToExpand } from './expansion/ask.ts'
import { inheritWithin } from './expansion/inherit.ts'
import { replacePhase } from './expansion/replace-phase.ts'
import { evaluateWorkflow } from './metrics.ts'
import { composeWorkflowOutline, workflowOutline } from './outline.ts'
import { workflowPrompt } from './prompt.ts'
import { readWorkflow } from './read.ts'
import { renderWorkflowHtml } from './render/html.ts'
import { renderWorkflowJson } from './render/json.ts'
import { renderWorkflowMarkdown } from './render/markdown.ts'
import { workflowContent, workflowSchemaVersion, type WorkflowContent } from './schema.ts'
import { validateWorkflow } from './validate.ts'

/**
 * The document kind `workflow`: how a piece of work is done, made in three phases; one that is too complex
 * can be expanded.
 */
export const workflowKind: DocumentKind<WorkflowContent> = {
  name: 'workflow',
  schemaVersion: workflowSchemaVersion,
  instruction: workflowInstruction,
  jsonSchema: workflowJsonSchema,
  callSchema: workflowCallSchema,
  calls: () => [...workflowCalls],
  prompt: workflowPrompt,
  read: readWorkflow,
  inherit: inheritWithin,
  expansion: { parts: phasesToExpand, replace: replacePhase },
  parse: (content) => workflowContent.parse(content),
  validate: validateWorkflow,
  evaluate: evaluateWorkflow,
  outline: workflowOutline,
  comparable: comparableWorkflow,
  compose: composeWorkflowOutline,
  render: { json: renderWorkflowJson, markdown: renderWorkflowMarkdown, html: renderWorkflowHtml },
}
