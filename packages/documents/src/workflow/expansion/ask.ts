import { canonicalJson } from '@almanac/domain'
import { z } from 'zod'
import type { Call, ExpandablePart, WantedExpansion } from '../../kind.ts'
import { workflowLimits } from '../limits.ts'
import type { WorkflowContent } from '../schema.ts'
import { complexityOf } from './complexity.ts'

/** What is asked where a phase is expanded: JSON, which a model reads and the deterministic engine parses. */
export const expandBrief = z.strictObject({
  task: z.string(),
  /** The id of the phase. */
  phase: z.string(),
  /** How complex it is, and how complex a phase may be. */
  complexity: z.int(),
  above: z.int(),
  /** Sub-phases that the workflow has room for. */
  mostPhases: z.int(),
})
export type ExpandBrief = z.output<typeof expandBrief>

/** A single task is no phase to divide. */
const fewestTasks = 2

/**
 * The phases that are to be expanded, each with the brief of its call. They share the room that the
 * workflow has for phases, so that all of them fit into one document; without room there are none.
 */
export function phasesToExpand(
  content: WorkflowContent,
  { above, most, tried }: WantedExpansion,
): ExpandablePart[] {
  const room = Math.max(0, workflowLimits.phases - content.phases.length)
  return content.phases
    .map((phase) => ({ phase, complexity: complexityOf(content, phase).total }))
    .filter(
      ({ phase: { id, tasks }, complexity }) =>
        complexity > above && tasks.length >= fewestTasks && !tried.includes(id),
    )
    .slice(0, Math.min(most, room))
    .map(({ phase: { id }, complexity }, i, all) => {
      const mostPhases = 1 + Math.floor((room + all.length - 1 - i) / all.length)
      return { id, brief: briefOf({ phase: id, complexity, above, mostPhases }) }
    })
}

const briefOf = ({ phase, ...rest }: Omit<ExpandBrief, 'task'>): string =>
  canonicalJson({
    task: `Expand the phase ${phase} of the workflow in input 1: replace it by sub-phases that are each less complex than it, with the tasks of all of them.`,
    phase,
    ...rest,
  } satisfies ExpandBrief)

/** Whether a call asks for sub-phases, and not for a whole workflow or a phase of its making. */
export const isExpansion = ({ kind, corrects }: Call): boolean =>
  kind === 'expand' || corrects === 'expand'

/** The brief of such a call; undefined for one that has none. */
export function expandBriefOf({ brief }: Call): ExpandBrief | undefined {
  try {
    return expandBrief.parse(JSON.parse(brief))
  } catch {
    return undefined
  }
}
