import type { WorkflowContent, WorkflowPhase, WorkflowTask } from './schema.ts'

/** A task with where it stands. */
export interface PlacedTask {
  task: WorkflowTask
  phase: WorkflowPhase
  /** JSON pointer to the task. */
  path: string
}

/** Every task of a workflow, phase by phase. */
export const tasksOf = ({ phases }: Pick<WorkflowContent, 'phases'>): PlacedTask[] =>
  phases.flatMap((phase, p) =>
    phase.tasks.map((task, t) => ({ task, phase, path: `/phases/${p}/tasks/${t}` })),
  )

/** Which task makes each output, by the output's id; of two, the first. */
export function makersOf(content: Pick<WorkflowContent, 'phases'>): Map<string, PlacedTask> {
  const makers = new Map<string, PlacedTask>()
  for (const placed of tasksOf(content))
    for (const { id } of placed.task.outputs) if (!makers.has(id)) makers.set(id, placed)
  return makers
}

/** The tasks whose outputs each task needs, by id, in the document's order. */
export function taskDependencies(content: Pick<WorkflowContent, 'phases'>): Map<string, string[]> {
  const makers = makersOf(content)
  return new Map(
    tasksOf(content).map(({ task }) => [
      task.id,
      [...new Set(task.inputs.flatMap((input) => makers.get(input)?.task.id ?? []))],
    ]),
  )
}

/** The modules that each module names as coming before it, by id. */
export const moduleDependencies = ({
  modules,
}: Pick<WorkflowContent, 'modules'>): Map<string, string[]> =>
  new Map(modules.map(({ id, dependsOn }) => [id, [...new Set(dependsOn)]]))

/** What a module takes from outside of itself, and what it gives, as ids. */
export function moduleLinks(
  content: Pick<WorkflowContent, 'phases'>,
  tasks: readonly string[],
): { inputs: string[]; outputs: string[] } {
  const own = tasksOf(content).filter(({ task }) => tasks.includes(task.id))
  const outputs = own.flatMap(({ task }) => task.outputs.map(({ id }) => id))
  const inputs = own.flatMap(({ task }) => task.inputs).filter((id) => !outputs.includes(id))
  return { inputs: [...new Set(inputs)], outputs: [...new Set(outputs)] }
}

/** All that a task says in words. */
export const taskTexts = ({ name, steps, done, note }: WorkflowTask): string[] => [
  name,
  ...steps,
  done,
  ...(note === '' ? [] : [note]),
]
