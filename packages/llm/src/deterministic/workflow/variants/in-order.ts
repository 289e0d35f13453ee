import {
  taskDependencies,
  tasksOf,
  topologicalOrder,
  type Dependencies,
  type WorkflowContent,
} from '@almanac/documents'
import { meantOrder } from './acyclic.ts'
import type { Move } from './material.ts'

/**
 * Phases in the order in which they are meant to be done, tasks within them likewise: each after those
 * whose outputs it needs. What could stand in either order stays as it is.
 */
export const inOrder: Move = (workflow, { composed }) => {
  const needs = taskDependencies(workflow)
  const tasks = meantOrder(workflow, composed)
  const meant = workflow.phases
    .map(({ id, tasks: own }) => ({ id, at: tasks.indexOf(own[0]?.id ?? '') }))
    .sort((a, b) => a.at - b.at)
    .map(({ id }) => id)
  const order = ordered(meant, phaseDependencies(workflow, needs))
  const isWhole = workflow.phases.every((phase) => phase.tasks.length > 0)
  const phases = isWhole
    ? workflow.phases.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
    : workflow.phases
  return {
    ...workflow,
    phases: phases.map((phase) => {
      const own = ordered(
        phase.tasks.map(({ id }) => id),
        needs,
      )
      return {
        ...phase,
        tasks: phase.tasks.toSorted((a, b) => own.indexOf(a.id) - own.indexOf(b.id)),
      }
    }),
  }
}

/** `ids`, each after what it needs of them; those of a circle stay behind, as they stand. */
function ordered(ids: readonly string[], needs: Dependencies): string[] {
  const own = new Map(
    ids.map((id) => [id, (needs.get(id) ?? []).filter((one) => ids.includes(one))]),
  )
  const order = topologicalOrder(own)
  return [...order, ...ids.filter((id) => !order.includes(id))]
}

function phaseDependencies(workflow: WorkflowContent, needs: Dependencies): Dependencies {
  const phaseOf = new Map(tasksOf(workflow).map(({ task, phase }) => [task.id, phase.id]))
  return new Map(
    workflow.phases.map(({ id, tasks }) => {
      const before = tasks
        .flatMap((task) => needs.get(task.id) ?? [])
        .flatMap((task) => phaseOf.get(task) ?? [])
      return [id, [...new Set(before)].filter((other) => other !== id)]
    }),
  )
}
