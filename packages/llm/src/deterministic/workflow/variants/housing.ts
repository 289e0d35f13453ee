import {
  moduleDependencies,
  taskDependencies,
  tasksOf,
  type PlacedTask,
  type WorkflowContent,
} from '@almanac/documents'
import { described, isDescribed, registeredModule, taskModule } from '../modules.ts'
import { draftOf, identified, keyed } from './draft.ts'
import { freeId, idsOf, inTurn, type Move } from './material.ts'
import { waitsFor } from './sources.ts'

export type Module = WorkflowContent['modules'][number]

/** Modules that nothing is in go, and with them what depends on them does so no more. */
export const withoutEmptyModules: Move = (workflow) => {
  const modules = workflow.modules.filter(
    ({ registered, tasks }) => registered !== null || tasks.length > 0,
  )
  if (modules.length === workflow.modules.length) return workflow
  const gone = new Set(workflow.modules.filter((one) => !modules.includes(one)).map(({ id }) => id))
  for (const { id } of modules) gone.delete(id)
  return {
    ...workflow,
    modules: modules.map((module) => ({
      ...module,
      dependsOn: module.dependsOn.filter((id) => !gone.has(id)),
    })),
  }
}

/** For each module the modules whose outputs its tasks need, as places: those that stand before it first. */
function impliedPairs(workflow: WorkflowContent): (readonly [module: number, needed: number])[] {
  const place = new Map(
    workflow.modules.flatMap(({ tasks }, m) => tasks.map((task) => [task, m] as const)),
  )
  const needs = taskDependencies(workflow)
  const pairs = workflow.modules.flatMap(({ tasks }, m) => {
    const makers = tasks.flatMap((task) => needs.get(task) ?? [])
    return [...new Set(makers.flatMap((task) => place.get(task) ?? []))]
      .filter((other) => other !== m)
      .map((other) => [m, other] as const)
  })
  return [...pairs.filter(([m, other]) => other < m), ...pairs.filter(([m, other]) => other > m)]
}

const implying =
  (isAllowed: (modules: Module[], own: string, other: string) => boolean): Move =>
  (workflow) => {
    const modules = [...workflow.modules]
    for (const [m, o] of impliedPairs(workflow)) {
      const [own, other] = [modules[m], modules[o]]
      if (!own || !other || own.dependsOn.includes(other.id)) continue
      if (isAllowed(modules, own.id, other.id))
        modules[m] = { ...own, dependsOn: [...own.dependsOn, other.id] }
    }
    return { ...workflow, modules }
  }

/** Each module depends on those whose outputs its tasks need, in a circle or not. */
export const withEveryDependency: Move = implying(() => true)

/** The same, as far as no module comes to wait for itself: of two that need each other, the later waits. */
export const withImpliedDependencies: Move = implying(
  (modules, own, other) => !waitsFor(moduleDependencies({ modules }), other, own),
)

/** Registered modules hold no tasks of their own: they are used as they are. */
const withPlainRegistered: Move = (workflow) => ({
  ...workflow,
  modules: workflow.modules.map((module) =>
    module.registered !== null && module.tasks.length > 0 ? { ...module, tasks: [] } : module,
  ),
})

/** Every task that no module holds, and that is one to look after, goes into the one of its neighbours. */
const housing =
  (isOurs: (task: string) => boolean): Move =>
  (workflow) => {
    const held = heldIn(workflow)
    return tasksOf(workflow)
      .filter(({ task }) => !held.has(task.id) && isOurs(task.id))
      .reduce(housed, workflow)
  }

const heldIn = ({ modules }: WorkflowContent): Set<string> =>
  new Set(modules.flatMap(({ tasks }) => tasks))

/** Tasks that came out of their module, or are new, are in one again; those that were in none stay so. */
export const withLostTasks = (before: WorkflowContent): Move => {
  const held = heldIn(before)
  const strays = new Set(
    tasksOf(before).flatMap(({ task }) => (held.has(task.id) ? [] : [task.id])),
  )
  return housing((task) => !strays.has(task))
}

function housed(workflow: WorkflowContent, { task, phase }: PlacedTask): WorkflowContent {
  const own = workflow.modules.filter(
    (module) => module.phase === phase.id && module.registered === null,
  )
  const inOrder = phase.tasks.map(({ id }) => id)
  const place = inOrder.indexOf(task.id)
  const holderOf = (id: string) => own.find(({ tasks }) => tasks.includes(id))
  const before = inOrder.slice(0, place).findLast((id) => holderOf(id))
  const after = inOrder.slice(place + 1).find((id) => holderOf(id))
  const holder =
    own.find(({ tasks }) => tasks.length === 0) ?? holderOf(before ?? '') ?? holderOf(after ?? '')
  if (!holder) return withNewModule(workflow, { task, phase })
  const at = before === undefined ? 0 : holder.tasks.indexOf(before) + 1
  const changed = { ...holder, tasks: holder.tasks.toSpliced(at, 0, task.id) }
  return { ...workflow, modules: workflow.modules.map((one) => (one === holder ? changed : one)) }
}

/** A module for one task, after those of its phase and of the phases before. */
export function withNewModule(
  workflow: WorkflowContent,
  { task, phase }: Pick<PlacedTask, 'task' | 'phase'>,
): WorkflowContent {
  const { phases, tasks } = draftOf(workflow)
  const own = phases.find(({ key }) => key === phase.id)
  const group = tasks.filter(({ key }) => key === task.id).slice(0, 1)
  if (!own || group.length === 0) return workflow
  const { key, ...module } = taskModule(own, group, 0)
  const rank = (id: string) => phases.findIndex((one) => one.key === id)
  const later = workflow.modules.findIndex((one) => rank(one.phase) > rank(phase.id))
  const at = later < 0 ? workflow.modules.length : later
  const made = { id: freeId(idsOf(workflow), key), ...module }
  return { ...workflow, modules: workflow.modules.toSpliced(at, 0, made) }
}

/** Every registered module of the package is used. */
const withRegisteredModules: Move = (workflow, { runPackage }) =>
  (runPackage.modules ?? [])
    .filter(({ key }) => !workflow.modules.some(({ registered }) => registered === key))
    .reduce((now, definition) => {
      const { phases, modules } = draftOf(now)
      const module = identified(registeredModule(definition, phases, modules))
      const made = { ...module, id: freeId(idsOf(now), module.id) }
      return { ...now, modules: [...now.modules, made] }
    }, workflow)

/** What the composer said of the tasks of a module is said of those that it holds now, where they changed. */
export const withTrueDescriptions =
  (before: WorkflowContent): Move =>
  (workflow) => {
    const held = new Map(before.modules.map(({ id, tasks }) => [id, tasks.join(' ')]))
    const known = new Map(tasksOf(workflow).map(({ task }) => [task.id, task]))
    const modules = workflow.modules.map((module): Module => {
      const group = module.tasks.flatMap((id) => known.get(id) ?? [])
      const isOld = held.get(module.id) === module.tasks.join(' ')
      if (isOld || group.length === 0 || !isDescribed(module)) return module
      const drafts = group.map(({ outputs }) => ({ outputs: outputs.map(keyed) }))
      return { ...module, ...described(drafts, module.name) }
    })
    return { ...workflow, modules }
  }

/** Modules as they should be: every task in one, every registered one used, none empty. */
export const withAllHoused: Move = inTurn(
  withPlainRegistered,
  housing(() => true),
  withoutEmptyModules,
  withRegisteredModules,
  withImpliedDependencies,
)
