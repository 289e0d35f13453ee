import {
  tasksOf,
  workflowKind,
  type Call,
  type PlacedTask,
  type WorkflowContent,
  type WorkflowPhase,
  type WorkflowTask,
} from '@almanac/documents'
import type { RunPackage } from '@almanac/domain'
import { composeWorkflow } from '../compose-workflow.ts'
import { planOf, type Plan } from '../plan.ts'

/** What the strategies that improve a workflow work with besides it. */
export interface Material {
  runPackage: RunPackage
  plan: Plan
  /** What the composer itself writes for this package: where better words are taken from. */
  composed: WorkflowContent
}

/** Turns a workflow into a better one, in what it looks at and nothing else; pure. */
export type Move = (workflow: WorkflowContent, material: Material) => WorkflowContent

/** Several moves as one, each on what the one before has made. */
export const inTurn =
  (...moves: readonly Move[]): Move =>
  (workflow, material) =>
    moves.reduce((now, move) => move(now, material), workflow)

const wholeDraft: Call = { kind: 'draft', n: 1, brief: '', inputHashes: [] }

export function materialOf(runPackage: RunPackage): Material {
  const draft = composeWorkflow({ package: runPackage, call: wholeDraft, inputs: [] })
  const { content, findings } = workflowKind.read(runPackage, [draft])
  if (!content) throw new Error(`the composed workflow cannot be read: ${JSON.stringify(findings)}`)
  return { runPackage, plan: planOf(runPackage), composed: content }
}

/** The composer's own task of this id, where the workflow has it from the composer. */
export const counterpartOf = ({ composed }: Material, id: string): WorkflowTask | undefined =>
  tasksOf(composed).find(({ task }) => task.id === id)?.task

/**
 * Changes tasks one after another, each seen in the workflow that the changes before it have made. No task
 * comes or goes.
 */
export const changeTasks = (
  workflow: WorkflowContent,
  change: (placed: PlacedTask, now: WorkflowContent) => WorkflowTask,
): WorkflowContent =>
  tasksOf(workflow).reduce((now, { path }) => {
    const placed = tasksOf(now).find((one) => one.path === path)
    if (!placed) return now
    const changed = change(placed, now)
    return changed === placed.task ? now : withTask(now, placed.task, changed)
  }, workflow)

const withTask = (
  workflow: WorkflowContent,
  old: WorkflowTask,
  task: WorkflowTask,
): WorkflowContent => ({
  ...workflow,
  phases: workflow.phases.map((phase) =>
    phase.tasks.includes(old)
      ? { ...phase, tasks: phase.tasks.map((one) => (one === old ? task : one)) }
      : phase,
  ),
})

/** Every id of a workflow: whatever they name, they are unique in it. */
export function idsOf({ roles, inputs, phases, modules }: WorkflowContent): Set<string> {
  const tasks = phases.flatMap((phase) => phase.tasks)
  const outputs = tasks.flatMap((task) => task.outputs)
  return new Set([roles, inputs, phases, modules, tasks, outputs].flat().map(({ id }) => id))
}

const mostCharacters = 48

/** `wanted` where nobody has it, else with the first number that makes it free; takes it. */
export function freeId(taken: Set<string>, wanted: string): string {
  let id = wanted
  for (let n = 2; taken.has(id); n += 1) {
    const end = `-${n}`
    id = `${wanted.slice(0, mostCharacters - end.length).replace(/-+$/, '')}${end}`
  }
  taken.add(id)
  return id
}

/** The id that a phase had before it was divided into the one that it is in. */
export const rootOf = ({ id, within = [] }: Pick<WorkflowPhase, 'id' | 'within'>): string =>
  within[0]?.id ?? id
