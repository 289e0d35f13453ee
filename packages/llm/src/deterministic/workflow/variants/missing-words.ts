import {
  coverageOf,
  mostNamedOf,
  namedIn,
  tasksOf,
  termsOf,
  workflowLimits,
  type WorkflowTask,
} from '@almanac/documents'
import { changeTasks, counterpartOf, type Move } from './material.ts'

/**
 * Words of the purpose that still no task takes up go into the tasks that the composer names them in: as
 * the step that does.
 */
export const withMissingWords: Move = (workflow, material) => {
  const terms = termsOf(workflow.metadata.purpose)
  const most = mostNamedOf(terms)
  const open = new Set(
    coverageOf(terms, tasksOf(workflow), [], most).missing.map(({ stem }) => stem),
  )
  if (open.size === 0) return workflow
  return changeTasks(workflow, ({ task }) => {
    const own = counterpartOf(material, task.id)
    const said = namedIn(terms, textOf(task)).map(({ stem }) => stem)
    const steps = (own?.steps ?? []).filter((step) => {
      const named = namedIn(terms, step).map(({ stem }) => stem)
      const isNew = named.some((stem) => open.has(stem) && !said.includes(stem))
      if (!isNew || new Set([...said, ...named]).size > most) return false
      for (const stem of named) open.delete(stem)
      return true
    })
    const room = workflowLimits.steps - task.steps.length
    return steps.length === 0 || room < 1
      ? task
      : { ...task, steps: [...task.steps, ...steps.slice(0, room)] }
  })
}

const textOf = ({ name, steps, outputs, done }: WorkflowTask): string =>
  [name, ...steps, ...outputs.map((output) => output.name), done].join('\n')
