import type { Finding, RunPackage } from '@almanac/domain'
import { membershipFindings, partFindings } from './rules/parts.ts'
import {
  cycleFindings,
  impliedFindings,
  referenceFindings,
  registeredFindings,
} from './rules/references.ts'
import type { Rule } from './rules/rule.ts'
import { duplicateFindings, lengthFindings } from './rules/size.ts'
import { safetyFindings } from './rules/wording.ts'
import type { WorkflowContent } from './schema.ts'
import { tasksOf } from './task-list.ts'

/** The validator, on one screen: every rule that a workflow is held to. */
const rules: Rule[] = [
  partFindings,
  referenceFindings,
  registeredFindings,
  membershipFindings,
  cycleFindings,
  impliedFindings,
  lengthFindings,
  duplicateFindings,
  safetyFindings,
]

/** Every finding of `content` against its package, rule by rule; an empty list is a clean workflow. */
export function validateWorkflow(content: WorkflowContent, runPackage: RunPackage): Finding[] {
  const judged = { content, runPackage, tasks: tasksOf(content) }
  return rules.flatMap((rule) => rule(judged))
}
