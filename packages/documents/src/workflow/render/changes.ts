import type { Json } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import {
  changesView,
  type ChangedElement,
  type ChangesView,
  type GoneElement,
} from '../../render/changes-view.ts'
import type { WorkflowContent } from '../schema.ts'
import type { ModuleView, PhaseView } from './view.ts'

/** What is new in a workflow, as its formats show it; undefined when nobody has looked. */
export function workflowChanges(
  { changes, content }: RenderInput<WorkflowContent>,
  { phases, modules }: { phases: readonly PhaseView[]; modules: readonly ModuleView[] },
): ChangesView | undefined {
  return changesView(changes, {
    noun: 'workflow',
    counts: () => true,
    linkOf(path) {
      const [part, at, , t] = path.slice(1).split('/')
      if (part === '') return { group: 'The whole', anchor: 'brief', name: 'in brief' }
      if (part === 'modules') {
        const { id } = content.modules[Number(at)] ?? {}
        const module = modules.find((view) => view.id === id)
        return module && { group: 'Modules', anchor: module.anchor, name: titleOf(module) }
      }
      const phase = phases[Number(at)]
      if (!phase) return undefined
      const group = phase.phase.name
      if (t === undefined) return { group, anchor: phase.anchor, name: 'the phase' }
      const task = phase.tasks[Number(t)]
      return task && { group, anchor: task.anchor, name: titleOf(task) }
    },
    placeOf: ({ level, before }) => `${levelNames[level]} ${textOf(before['name'])}`,
    saidOf,
  })
}

const titleOf = ({ number, name }: { number: string; name: string }) => `${number} ${name}`

const levelNames: Record<GoneElement['level'], string> = {
  metadata: 'The whole',
  phase: 'Phase',
  module: 'Module',
  section: 'Section',
  item: 'Task',
}

/** Of a changed element the fields that differ, as far as they are text; a gone one is named by its place. */
function saidOf(element: GoneElement | ChangedElement): string | undefined {
  if (!('fields' in element)) return undefined
  const texts = element.fields.map((field) => textOf(element.before[field])).filter(Boolean)
  return texts.length > 0 ? texts.join(' – ') : undefined
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value
  const isTexts = Array.isArray(value) && value.every((one) => typeof one === 'string')
  return isTexts ? value.join(' ') : ''
}
