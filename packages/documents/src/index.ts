export { judgedChecks, type JudgedCheck } from './judge/checklist.ts'
export {
  judgeBrief,
  judgeOutputTokens,
  judgeRequest,
  readJudgement,
  type CheckAnswer,
} from './judge/judge-request.ts'
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
export { coverageOf, mostNamedOf, namedIn } from './workflow/coverage.ts'
export { slug, workflowId } from './workflow/document-id.ts'
export { peopleWithoutRole } from './workflow/fit.ts'
export { circular, topologicalOrder, type Dependencies } from './workflow/graph.ts'
export { workflowLimits } from './workflow/limits.ts'
export {
  expandBrief,
  expandBriefOf,
  isExpansion,
  phasesToExpand,
  type ExpandBrief,
} from './workflow/expansion/ask.ts'
export { complexityOf, type Complexity } from './workflow/expansion/complexity.ts'
export { audienceProfile, type AudienceProfile } from './workflow/reading/audience.ts'
export { styleProfile, type StyleProfile } from './workflow/reading/style.ts'
export { stemsOf, termsOf, type Term } from './workflow/reading/terms.ts'
export { capitalised, singular, stem, wordsOf } from './workflow/reading/words.ts'
export { statementKey } from './workflow/rules/size.ts'
export {
  workflowContent,
  workflowDraft,
  workflowModulesDraft,
  workflowOutlineDraft,
  workflowPartsDraft,
  workflowTasksDraft,
  type WorkflowContent,
  type WorkflowDraft,
  type WorkflowModulesDraft,
  type WorkflowOutlineDraft,
  type WorkflowPartsDraft,
  type WorkflowPhase,
  type WorkflowTask,
  type WorkflowTasksDraft,
} from './workflow/schema.ts'
export { saysHardlyAWord, vagueness, vagueWords } from './workflow/specificity.ts'
export {
  makersOf,
  moduleDependencies,
  taskDependencies,
  tasksOf,
  type PlacedTask,
} from './workflow/task-list.ts'
export { workflowKind } from './workflow/workflow-kind.ts'
