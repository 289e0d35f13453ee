import type { Cadence, Evaluation } from '@almanac/domain'
import type { RenderInput } from '../../kind.ts'
import type { ChangesView } from '../../render/changes-view.ts'
import { mastheadOf, type Masthead } from '../../render/masthead.ts'
import { topologicalOrder } from '../graph.ts'
import { isGroup, leavesOf, phaseTree, type PhaseLeaf, type PhaseTree } from '../phase-tree.ts'
import type { WorkflowContent, WorkflowPhase, WorkflowTask } from '../schema.ts'
import { workflowChanges } from './changes.ts'
import { makersOf, moduleDependencies, moduleLinks, tasksOf } from '../task-list.ts'

/** What the workflow formats show, in the order in which they show it; plain text, not yet escaped. */
export interface WorkflowView extends Masthead {
  content: WorkflowContent
  /** In the order of the content. */
  phases: PhaseView[]
  /** The same, sub-phases under the phases that were expanded into them. */
  phaseTree: (PhaseView | PhaseGroupView)[]
  /** In an order in which each comes after what it depends on. */
  modules: ModuleView[]
  /** The workflow's own inputs, with the tasks that need them. */
  inputs: { name: string; usedBy: LinkView[] }[]
  /** What is new against the period before; undefined when nothing is said about that. */
  changes: ChangesView | undefined
}

/** Something that stands elsewhere in the document. */
export interface LinkView {
  anchor: string
  /** `2.3`. */
  number: string
  name: string
}

export interface PhaseView {
  anchor: string
  /** `2`, or of a sub-phase `2.1`. */
  number: string
  phase: WorkflowPhase
  /** The phase's conformance; undefined when it was not evaluated. */
  score: number | undefined
  tasks: TaskView[]
}

/** A phase that was expanded. */
export interface PhaseGroupView {
  anchor: string
  number: string
  name: string
  goal: string
  parts: (PhaseView | PhaseGroupView)[]
}

export interface TaskView extends LinkView {
  task: WorkflowTask
  role: string
  /** What it needs, with the task that makes it; without one it is an input of the workflow. */
  needs: { name: string; from: LinkView | undefined }[]
}

export interface ModuleView extends LinkView {
  id: string
  phase: string
  purpose: string
  /** Of a registered module: its key, and what it has its users do. */
  registered: { key: string; steps: readonly string[] } | undefined
  tasks: LinkView[]
  needs: string[]
  gives: string[]
  dependsOn: LinkView[]
}

const workflowNames: Record<Cadence, string> = {
  daily: 'Daily workflow',
  weekly: 'Weekly workflow',
  monthly: 'Monthly workflow',
  on_demand: 'Workflow on demand',
}

/** Arranges what the formats show. Anchors follow from positions, so that no text gets into them. */
export function workflowView(input: RenderInput<WorkflowContent>): WorkflowView {
  const { content, evaluation } = input
  const tree = phaseTree(content)
  const leaves = leavesOf(tree)
  const links = taskLinks(leaves)
  const names = thingNames(content)
  const makers = makersOf(content)
  const taskView = (task: WorkflowTask, link: LinkView): TaskView => ({
    ...link,
    task,
    role: content.roles.find(({ id }) => id === task.role)?.name ?? task.role,
    needs: task.inputs.map((id) => {
      const maker = makers.get(id)
      return { name: names.get(id) ?? id, from: maker && links.get(maker.path) }
    }),
  })
  const phases = leaves.map(({ phase, index, number }) => ({
    anchor: anchorOf('p', number),
    number,
    phase,
    score: scoreOf(evaluation, index),
    tasks: phase.tasks.flatMap((task, t) => {
      const link = links.get(`/phases/${index}/tasks/${t}`)
      return link ? [taskView(task, link)] : []
    }),
  }))
  const modules = moduleViews(input, links, names)
  return {
    ...mastheadOf(input, workflowNames),
    content,
    phases,
    phaseTree: viewsOf(tree, phases),
    modules,
    inputs: content.inputs.map(({ id, name }) => ({
      name,
      usedBy: tasksOf(content).flatMap(({ task, path }) => {
        const link = task.inputs.includes(id) ? links.get(path) : undefined
        return link ? [link] : []
      }),
    })),
    changes: workflowChanges(input, { phases, modules }),
  }
}

const scoreOf = ({ phases }: Evaluation, p: number): number | undefined => phases?.[p]?.score

/** The anchor of what has a number: `t2-1-3` of the task 2.1.3. */
const anchorOf = (letter: string, number: string) => `${letter}${number.replaceAll('.', '-')}`

const viewsOf = (tree: PhaseTree, phases: readonly PhaseView[]): WorkflowView['phaseTree'] =>
  tree.flatMap((one): WorkflowView['phaseTree'] => {
    if (!isGroup(one)) return phases.slice(one.index, one.index + 1)
    const { name, goal, number, parts } = one
    return [{ anchor: anchorOf('p', number), number, name, goal, parts: viewsOf(parts, phases) }]
  })

/** How each task is named from elsewhere, by its path. */
function taskLinks(leaves: readonly PhaseLeaf[]): Map<string, LinkView> {
  return new Map(
    leaves.flatMap(({ phase, index, number: above }) =>
      phase.tasks.map(({ name }, t) => {
        const number = `${above}.${t + 1}`
        return [`/phases/${index}/tasks/${t}`, { anchor: anchorOf('t', number), number, name }]
      }),
    ),
  )
}

/** What inputs and outputs are called, by id. */
const thingNames = (content: WorkflowContent): Map<string, string> =>
  new Map(
    [...content.inputs, ...tasksOf(content).flatMap(({ task }) => task.outputs)].map(
      ({ id, name }) => [id, name],
    ),
  )

function moduleViews(
  { content, package: runPackage }: RenderInput<WorkflowContent>,
  links: ReadonlyMap<string, LinkView>,
  names: ReadonlyMap<string, string>,
): ModuleView[] {
  const order = topologicalOrder(moduleDependencies(content))
  const known = content.modules.map(({ id }) => id)
  const ids = [...new Set([...order, ...known])]
  const sorted = ids.flatMap((id) => content.modules.find((module) => module.id === id) ?? [])
  const numbered = new Map(
    sorted.map(({ id, name }, i) => [id, { anchor: `m${i + 1}`, number: `M${i + 1}`, name }]),
  )
  const placed = tasksOf(content)
  return sorted.flatMap((module): ModuleView[] => {
    const link = numbered.get(module.id)
    if (!link) return []
    const definition = runPackage.modules?.find(({ key }) => key === module.registered)
    const own = moduleLinks(content, module.tasks)
    const nameOf = (id: string) => names.get(id) ?? id
    return [
      {
        ...link,
        id: module.id,
        phase: content.phases.find(({ id }) => id === module.phase)?.name ?? module.phase,
        purpose: module.purpose,
        registered:
          module.registered === null
            ? undefined
            : { key: module.registered, steps: definition?.steps ?? [] },
        tasks: module.tasks.flatMap((id) => {
          const path = placed.find(({ task }) => task.id === id)?.path
          return (path !== undefined && links.get(path)) || []
        }),
        needs: definition?.inputs ?? own.inputs.map(nameOf),
        gives: definition?.outputs ?? own.outputs.map(nameOf),
        dependsOn: module.dependsOn.flatMap((id) => numbered.get(id) ?? []),
      },
    ]
  })
}
