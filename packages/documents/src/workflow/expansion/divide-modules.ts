import { workflowLimits } from '../limits.ts'
import { moduleDependencies, taskDependencies, tasksOf } from '../task-list.ts'
import type { WorkflowContent, WorkflowPhase } from '../schema.ts'

type Module = WorkflowContent['modules'][number]

/** A phase, and the sub-phases that take its place in `content`. */
export interface Replacement {
  /** The workflow with the sub-phases, and the modules of the phase as they were. */
  content: WorkflowContent
  expanded: WorkflowPhase
  phases: readonly WorkflowPhase[]
}

/**
 * The modules of a workflow whose phase was replaced: a module whose tasks went to one sub-phase goes
 * along, one whose tasks went to several becomes one a sub-phase, of which the first keeps the id. A new
 * task joins the module that made its outputs, or that it is tied to, or gets one of its own. Whatever
 * depended on a module depends on all that became of it, and on what its tasks need.
 */
export function dividedModules({ content, expanded, phases }: Replacement): Module[] {
  const own = content.modules.filter(({ phase }) => phase === expanded.id)
  const homes = homesOf({ content, expanded, phases }, own)
  const ids = new Set([
    ...tasksOf(content).flatMap(({ task }) => [task.id, ...task.outputs.map(({ id }) => id)]),
    ...(['roles', 'inputs', 'phases', 'modules'] as const).flatMap((list) =>
      content[list].map(({ id }) => id),
    ),
  ])
  const divided = new Map<string, Module[]>()
  for (const module of own) {
    if (module.registered !== null) continue
    const parts = phases.flatMap((phase) => {
      const tasks = phase.tasks.map(({ id }) => id).filter((id) => homes.get(id) === module.id)
      return tasks.length > 0 ? [{ phase: phase.id, tasks }] : []
    })
    divided.set(
      module.id,
      parts.map((part, i) =>
        parts.length === 1 ? { ...module, ...part } : partOf(module, part, i, parts.length, ids),
      ),
    )
  }
  const added = phases.flatMap((phase) => {
    const tasks = phase.tasks.map(({ id }) => id).filter((id) => homes.get(id) === undefined)
    return tasks.length > 0 ? [newModule(phase, tasks, ids)] : []
  })
  const last = own.at(-1)
  const placed = content.modules.flatMap((module) => [
    ...(divided.get(module.id) ?? [placedIn(module, { expanded, phases, divided })]),
    ...(module === last ? added : []),
  ])
  return withDependencies(content, last ? placed : [...placed, ...added], divided)
}

/** The module that each task of the sub-phases belongs to; none for one that is tied to nothing. */
function homesOf(
  { content, expanded, phases }: Replacement,
  own: readonly Module[],
): Map<string, string> {
  const before = new Map(own.flatMap(({ id, tasks }) => tasks.map((task) => [task, id] as const)))
  const made = new Map(
    expanded.tasks.flatMap(({ id, outputs }) => {
      const home = before.get(id)
      return home === undefined ? [] : outputs.map((output) => [output.id, home] as const)
    }),
  )
  const homes = new Map<string, string>()
  const tasks = phases.flatMap((phase) => phase.tasks)
  for (const { id, outputs } of tasks) {
    const home = before.get(id) ?? outputs.flatMap((output) => made.get(output.id) ?? [])[0]
    if (home !== undefined) homes.set(id, home)
  }
  const needs = taskDependencies(content)
  for (const { id } of tasks) {
    if (homes.has(id)) continue
    const needed = (needs.get(id) ?? []).flatMap((other) => homes.get(other) ?? []).at(-1)
    const needing = tasks.find((other) => homes.has(other.id) && needs.get(other.id)?.includes(id))
    const home = needed ?? homes.get(needing?.id ?? '')
    if (home !== undefined) homes.set(id, home)
  }
  return homes
}

type Part = Pick<Module, 'phase' | 'tasks'>

function partOf(module: Module, part: Part, i: number, count: number, ids: Set<string>): Module {
  const place = `part ${i + 1} of ${count}`
  return {
    ...module,
    ...part,
    id: i === 0 ? module.id : unusedId(`${module.id}-${i + 1}`, ids),
    name: `${cut(module.name, workflowLimits.nameCharacters - place.length - 2)}, ${place}`,
    purpose: cut(`${capital(place)} of this: ${module.purpose}`, workflowLimits.sentenceCharacters),
  }
}

const newModule = (
  { id, name, goal }: WorkflowPhase,
  tasks: string[],
  ids: Set<string>,
): Module => ({
  ...{ id: unusedId(`module-${id}`, ids), name, phase: id, purpose: goal },
  ...{ registered: null, tasks, dependsOn: [] },
})

/** A registered module of the expanded phase: in the sub-phase of the last module that it waits for. */
function placedIn(
  module: Module,
  { expanded, phases, divided }: Pick<Replacement, 'expanded' | 'phases'> & { divided: Divided },
): Module {
  if (module.phase !== expanded.id) return module
  const waitsFor = module.dependsOn.flatMap((id) => divided.get(id) ?? [])
  const reached = waitsFor.map(({ phase }) => phases.findIndex(({ id }) => id === phase))
  return { ...module, phase: phases[Math.max(0, ...reached)]?.id ?? module.phase }
}

type Divided = ReadonlyMap<string, readonly Module[]>

function withDependencies(
  content: WorkflowContent,
  modules: readonly Module[],
  divided: Divided,
): Module[] {
  const homeOf = new Map(modules.flatMap(({ id, tasks }) => tasks.map((task) => [task, id])))
  const needs = taskDependencies(content)
  const told = moduleDependencies({ modules: [...modules] })
  return modules.map((module) => {
    const became = (told.get(module.id) ?? []).flatMap(
      (other) => divided.get(other)?.map(({ id }) => id) ?? [other],
    )
    const implied = module.tasks
      .flatMap((task) => needs.get(task) ?? [])
      .flatMap((task) => homeOf.get(task) ?? [])
    const dependsOn = new Set([...became, ...implied])
    dependsOn.delete(module.id)
    return { ...module, dependsOn: [...dependsOn] }
  })
}

/** `wanted`, shortened and numbered where something has this id; it is then taken. */
function unusedId(wanted: string, ids: Set<string>): string {
  const most = workflowLimits.keyCharacters
  const short = (length: number) => wanted.slice(0, length).replace(/-+$/, '')
  let id = short(most)
  for (let n = 2; ids.has(id); n += 1) id = `${short(most - 4)}-${n}`
  ids.add(id)
  return id
}

const cut = (text: string, most: number): string =>
  text.length <= most
    ? text
    : `${text
        .slice(0, most - 1)
        .toWellFormed()
        .trimEnd()}…`

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
