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
