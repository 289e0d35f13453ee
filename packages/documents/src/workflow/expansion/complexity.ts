import type { WorkflowContent, WorkflowPhase } from '../schema.ts'
import { taskDependencies } from '../task-list.ts'

/** How complex a phase is, and of what. */
export interface Complexity {
  tasks: number
  /** Things that its tasks need and the phase does not make. */
  inputs: number
  /** Things that its tasks make. */
  outputs: number
  /** Pairs of its tasks of which one needs what the other makes. */
  dependencies: number
  /** All of these together. */
  total: number
}

/**
 * The complexity of a phase: its tasks, the things that go in, the things that come out, and the
 * dependencies between its tasks, each counted once. It follows from the document alone: how much is
 * said of a task does not count, nor in which order things stand.
 */
export function complexityOf(
  content: Pick<WorkflowContent, 'phases'>,
  { tasks }: Pick<WorkflowPhase, 'tasks'>,
): Complexity {
  const outputs = new Set(tasks.flatMap((task) => task.outputs.map(({ id }) => id)))
  const inputs = new Set(
    tasks.flatMap((task) => task.inputs).filter((input) => !outputs.has(input)),
  )
  const own = new Set(tasks.map(({ id }) => id))
  const needs = taskDependencies(content)
  const dependencies = [...own].flatMap((id) =>
    (needs.get(id) ?? []).filter((other) => own.has(other)),
  ).length
  const parts = { tasks: own.size, inputs: inputs.size, outputs: outputs.size, dependencies }
  const total = parts.tasks + parts.inputs + parts.outputs + parts.dependencies
  return { ...parts, total }
}
