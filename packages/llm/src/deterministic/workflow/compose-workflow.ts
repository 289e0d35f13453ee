import {
  makingPhaseOf,
  workflowOutlineDraft,
  workflowTasksDraft,
  type Call,
  type WorkflowDraft,
} from '@almanac/documents'
import type { RunPackage } from '@almanac/domain'
import type { z } from 'zod'
import { composeModules } from './modules.ts'
import { composeOutline } from './outline.ts'
import { planOf } from './plan.ts'
import { composeTasks } from './tasks.ts'

/** What a call asks: a phase, with the answers of those before it, or the whole draft. */
export interface WorkflowAsk {
  package: RunPackage
  call: Call
  /** The contents that the call names: of a phase, the answers of the phases before it. */
  inputs: readonly string[]
}

/**
 * Composes the answer to a call for a workflow from what is known of verbs, things and conditions: it
 * takes the purpose apart, and tells each part in the style and for the audience. Phases build on the
 * answers of those before, whoever gave them. Pure: no clock, no randomness, no locale.
 */
export function composeWorkflow({
  package: runPackage,
  call,
  inputs,
}: WorkflowAsk): Partial<WorkflowDraft> {
  const plan = planOf(runPackage)
  const phase = makingPhaseOf(call)
  const own = composeOutline(plan)
  if (phase === 'initialize') return own
  const outline = phase ? (answered(workflowOutlineDraft, inputs[0]) ?? own) : own
  if (phase === 'how-to') return composeTasks(plan, outline)
  const earlier = phase ? answered(workflowTasksDraft, inputs[1]) : undefined
  const tasks = earlier ?? composeTasks(plan, outline)
  const modules = composeModules(outline, tasks, runPackage.modules ?? [])
  return phase ? modules : { ...own, ...tasks, ...modules }
}

/** An earlier answer; undefined for one that is none, which the validator will say. */
function answered<Schema extends z.ZodType>(
  schema: Schema,
  text: string | undefined,
): z.output<Schema> | undefined {
  if (text === undefined) return undefined
  const parsed = schema.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data : undefined
}
