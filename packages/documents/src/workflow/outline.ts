import type { Outline, OutlineElement } from '@almanac/domain'
import { z } from 'zod'
import { element } from '../placed-element.ts'
import { uniqueIds } from '../unique-ids.ts'
import { workflowContent, type WorkflowContent } from './schema.ts'

/**
 * A workflow as elements: its metadata (with roles and inputs, which belong to the whole), the phases
 * with their tasks, the modules. Elements are known by their keys, and where those changed by names.
 */
export function workflowOutline(content: WorkflowContent): Outline {
  const { phases, modules, ...metadata } = content
  const unique = uniqueIds()
  return [
    element('metadata', unique('metadata'), null, '', metadata),
    ...phases.flatMap(({ tasks, ...phase }, p) => {
      const id = unique(`phase:${phase.id}`)
      const own = `/phases/${p}`
      return [
        { ...element('phase', id, null, own, phase), topics: [`phase/${phase.name}`] },
        ...tasks.map((task, t) => ({
          ...element('item', unique(`task:${task.id}`), id, `${own}/tasks/${t}`, task),
          topics: [`task/${task.name}`],
        })),
      ]
    }),
    ...modules.map((module, m) => ({
      ...element('module', unique(`module:${module.id}`), null, `/modules/${m}`, module),
      topics: [`module/${module.name}`],
    })),
  ]
}

const shape = workflowContent.shape
const metadataValue = workflowContent.omit({ phases: true, modules: true })
const phaseValue = shape.phases.element.omit({ tasks: true })
const taskValue = z.array(shape.phases.element.shape.tasks.element)

/** The workflow of elements: `workflowOutline` read back. Throws when a value is not of a workflow. */
export function composeWorkflowOutline(elements: readonly OutlineElement[]): WorkflowContent {
  const within = Map.groupBy(elements, ({ parentId }) => parentId)
  const top = within.get(null) ?? []
  const metadata = top.find(({ level }) => level === 'metadata')
  return {
    ...metadataValue.parse(metadata?.value),
    phases: top
      .filter(({ level }) => level === 'phase')
      .map(({ id, value }) => ({
        ...phaseValue.parse(value),
        tasks: taskValue.parse((within.get(id) ?? []).map((task) => task.value)),
      })),
    modules: top
      .filter(({ level }) => level === 'module')
      .map(({ value }) => shape.modules.element.parse(value)),
  }
}
