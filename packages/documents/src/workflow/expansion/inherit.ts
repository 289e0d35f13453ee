import type { WorkflowContent } from '../schema.ts'

/** A version of a workflow whose sub-phases know, as in the version it was made of, what they are within. */
export function inheritWithin(content: WorkflowContent, parent: WorkflowContent): WorkflowContent {
  const known = new Map(
    parent.phases.flatMap(({ id, within }) => (within ? [[id, within] as const] : [])),
  )
  if (known.size === 0) return content
  return {
    ...content,
    phases: content.phases.map(({ tasks, ...phase }) => {
      const within = phase.within ?? known.get(phase.id)
      return { ...phase, ...(within && { within }), tasks }
    }),
  }
}
