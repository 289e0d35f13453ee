import type {
  WorkflowModulesDraft,
  WorkflowOutlineDraft,
  WorkflowTasksDraft,
} from '@almanac/documents'
import { phaseKinds, type ModuleDefinition } from '@almanac/domain'
import { lowerFirst, shortened } from './wording.ts'

type ModuleDraft = WorkflowModulesDraft['modules'][number]
type TaskDraft = WorkflowTasksDraft['tasks'][number]
type Phase = WorkflowOutlineDraft['phases'][number]

/** A phase with more tasks than this is two modules. */
const mostTasks = 3

/**
 * The answer of the phase `modularize`, for any outline and tasks: the tasks of each phase in one module
 * or two, each depending on those whose outputs its tasks need; then the registered modules, each in the
 * phase of its kind or the nearest before it, after what that phase's predecessor made.
 */
export function composeModules(
  { phases }: WorkflowOutlineDraft,
  { tasks }: WorkflowTasksDraft,
  registered: readonly ModuleDefinition[],
): WorkflowModulesDraft {
  const own = phases.flatMap((phase) => {
    const mine = tasks.filter((task) => task.phase === phase.key)
    const half = mine.length > mostTasks ? Math.ceil(mine.length / 2) : mine.length
    return [mine.slice(0, half), mine.slice(half)]
      .filter((group) => group.length > 0)
      .map((group, i) => ({ module: taskModule(phase, group, i), group }))
  })
  const modules = own.map(({ module, group }) => ({
    ...module,
    dependsOn: own
      .filter((other) => other.module.key !== module.key && feeds(other.group, group))
      .map((other) => other.module.key),
  }))
  return {
    modules: [...modules, ...registered.map((one) => registeredModule(one, phases, modules))],
  }
}

/** The module of some tasks of a phase, the `i`th of its phase; it depends on nothing yet. */
export const taskModule = (phase: Phase, group: readonly TaskDraft[], i: number): ModuleDraft => ({
  key: `module-${phase.key
    .replace(/^phase-/, '')
    .slice(0, 36)
    .replace(/-+$/, '')}-${i + 1}`,
  ...described(group, phase.name),
  phase: phase.key,
  registered: null,
  tasks: group.map(({ key }) => key),
  dependsOn: [],
})

const reusable = 'that can be reused together'

/** The name and purpose of a module that holds these tasks. */
export function described(
  group: readonly Pick<TaskDraft, 'outputs'>[],
  otherwise: string,
): Pick<ModuleDraft, 'name' | 'purpose'> {
  const made = group.flatMap(({ outputs }) => outputs.map(({ name }) => name))
  const count = group.length === 1 ? 'One task' : `${group.length} tasks`
  return {
    name: shortened(made.at(-1) ?? otherwise, 118),
    purpose: shortened(`${count} ${reusable}: ${made.map(lowerFirst).join('; ')}.`, 395),
  }
}

/** Whether a module's purpose is the composer's account of its tasks, and not somebody's own words. */
export const isDescribed = ({ purpose }: Pick<ModuleDraft, 'purpose'>): boolean =>
  new RegExp(`^(?:One task|\\d+ tasks) ${reusable}: `).test(purpose)

/** Whether `later` needs an output of `earlier`. */
function feeds(earlier: readonly TaskDraft[], later: readonly TaskDraft[]): boolean {
  const made = new Set(earlier.flatMap(({ outputs }) => outputs.map(({ key }) => key)))
  return later.some(({ inputs }) => inputs.some((input) => made.has(input)))
}

/** A registered module in its place. */
export function registeredModule(
  { key, name, purpose, phase: kind }: ModuleDefinition,
  phases: readonly Phase[],
  modules: readonly ModuleDraft[],
): ModuleDraft {
  const wanted = phaseKinds.indexOf(kind)
  const reached = phases.filter((phase) => phaseKinds.indexOf(phase.kind) <= wanted)
  const place = phases.find((phase) => phase.kind === kind) ?? reached.at(-1) ?? phases[0]
  const before = phases.slice(0, place ? phases.indexOf(place) : 0).at(-1)
  return {
    key: `use-${key}`.slice(0, 48).replace(/-+$/, ''),
    name,
    phase: place?.key ?? '',
    purpose,
    registered: key,
    tasks: [],
    dependsOn: modules
      .filter(({ phase }) => phase === before?.key)
      .map((module) => module.key)
      .slice(-1),
  }
}
