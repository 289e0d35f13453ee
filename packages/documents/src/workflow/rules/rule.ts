import type { Finding, RunPackage } from '@almanac/domain'
import type { WorkflowContent } from '../schema.ts'
import type { PlacedTask } from '../task-list.ts'

/** A workflow with what its rules need to know. */
export interface Judged {
  content: WorkflowContent
  runPackage: RunPackage
  tasks: readonly PlacedTask[]
}

export type Rule = (judged: Judged) => Finding[]
