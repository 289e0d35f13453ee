import {
  makersOf,
  taskDependencies,
  tasksOf,
  type Dependencies,
  type WorkflowContent,
  type WorkflowTask,
} from '@almanac/documents'

/** Whether `from` waits for `to`, directly or through others. */
export function waitsFor(dependencies: Dependencies, from: string, to: string): boolean {
  const seen = new Set([from])
  // A set gives what is added while it is walked too.
  for (const id of seen)
    for (const before of dependencies.get(id) ?? []) {
      if (before === to) return true
      seen.add(before)
    }
  return false
}

/**
 * What a task can need, at least one thing where the workflow has any: of `wanted` what is there and does
 * not wait for the task; else what the task before it makes; else the first input of the workflow.
 */
export function sourcesFor(
  workflow: WorkflowContent,
  task: WorkflowTask,
  wanted: readonly string[],
): string[] {
  const inputs = new Set(workflow.inputs.map(({ id }) => id))
  const makers = makersOf(workflow)
  const needs = taskDependencies(workflow)
  const isUsable = (thing: string): boolean => {
    if (inputs.has(thing)) return true
    const maker = makers.get(thing)?.task.id
    return maker !== undefined && maker !== task.id && !waitsFor(needs, maker, task.id)
  }
  const own = [...new Set(wanted)].filter(isUsable)
  if (own.length > 0) return own
  const tasks = tasksOf(workflow).map((placed) => placed.task)
  const before = tasks[tasks.findIndex(({ id }) => id === task.id) - 1]
  const made = (before?.outputs ?? []).map(({ id }) => id).filter(isUsable)
  return made.length > 0 ? made.slice(0, 1) : workflow.inputs.slice(0, 1).map(({ id }) => id)
}
