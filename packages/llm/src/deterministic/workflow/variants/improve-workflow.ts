import type { WorkflowContent, WorkflowDraft } from '@almanac/documents'
import type { RunPackage, VariantBrief } from '@almanac/domain'
import { shortenWorkflow } from './brevity.ts'
import { closeCoverageGaps } from './coverage-gaps.ts'
import { draftOf } from './draft.ts'
import { deepenTasks } from './evidence-depth.ts'
import { inTurn, materialOf, type Move } from './material.ts'
import { restructureWorkflow } from './restructure.ts'

/** What each strategy does; one of a plugin, which says in words what to do, does all that can be done. */
function moveOf(strategy: string): Move {
  if (strategy === 'coverage-gaps') return closeCoverageGaps
  if (strategy === 'brevity') return shortenWorkflow
  if (strategy === 'evidence-depth') return deepenTasks
  if (strategy === 'restructure') return restructureWorkflow
  return inTurn(closeCoverageGaps, deepenTasks, shortenWorkflow, restructureWorkflow)
}

/**
 * A variant of a workflow, made without a model: what the brief's strategy does, wherever the workflow
 * calls for it, whether or not the brief had room to name the place. Everything else stays as it is. Pure,
 * as the composer is.
 */
export const improveWorkflow = (
  runPackage: RunPackage,
  workflow: WorkflowContent,
  { strategy }: Pick<VariantBrief, 'strategy'>,
): WorkflowDraft => draftOf(moveOf(strategy)(workflow, materialOf(runPackage)))
