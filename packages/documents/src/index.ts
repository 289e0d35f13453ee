export { createKinds, type DocumentKinds } from './kinds.ts'
export {
  call,
  callKey,
  type AnyDocumentKind,
  type Call,
  type DocumentKind,
  type Prompt,
  type RenderInput,
} from './kind.ts'
export { stylesheet, stylesheetHash } from './render/stylesheet.ts'
export { statementLimits } from './report/limits.ts'
export { createReportKind, type KindPorts } from './report/report-kind.ts'
export {
  itemKinds,
  reportContent,
  reportDraft,
  type ItemKind,
  type ReportContent,
  type ReportDraft,
  type ReportItem,
} from './report/schema.ts'
export { makingPhaseOf, makingPhases, workflowSpecificationOf } from './workflow/calls.ts'
export { slug, workflowId } from './workflow/document-id.ts'
export { audienceProfile, type AudienceProfile } from './workflow/reading/audience.ts'
export { styleProfile, type StyleProfile } from './workflow/reading/style.ts'
export { capitalised, singular, stem, wordsOf } from './workflow/reading/words.ts'
export {
  workflowContent,
  workflowDraft,
  workflowModulesDraft,
  workflowOutlineDraft,
  workflowTasksDraft,
  type WorkflowContent,
  type WorkflowDraft,
  type WorkflowModulesDraft,
  type WorkflowOutlineDraft,
  type WorkflowTasksDraft,
} from './workflow/schema.ts'
export { workflowKind } from './workflow/workflow-kind.ts'
