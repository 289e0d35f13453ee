import type { WorkflowDraft } from '@almanac/documents'

type Task = WorkflowDraft['tasks'][number]
type Module = WorkflowDraft['modules'][number]
type Defect = (draft: WorkflowDraft, random: () => number) => WorkflowDraft

const ofWhich = (share: number, random: () => number) => () => random() < share

const changeTasks = (
  draft: WorkflowDraft,
  goes: () => boolean,
  change: (task: Task, i: number) => Task[],
): WorkflowDraft => ({
  ...draft,
  tasks: draft.tasks.flatMap((task, i) => (goes() ? change(task, i) : [task])),
})

/** The draft without modules for which `goes`, and without what is left of them elsewhere. */
const withoutModules = (draft: WorkflowDraft, goes: (module: Module) => boolean): WorkflowDraft => {
  const modules = draft.modules.filter((module) => !goes(module))
  const left = new Set(modules.map(({ key }) => key))
  const dependsOn = (module: Module) => module.dependsOn.filter((key) => left.has(key))
  return { ...draft, modules: modules.map((one) => ({ ...one, dependsOn: dependsOn(one) })) }
}

/** The draft without these tasks in modules, and without modules that held no other. */
function withoutMembers(draft: WorkflowDraft, gone: ReadonlySet<string>): WorkflowDraft {
  const modules = draft.modules.map((module) => ({
    ...module,
    tasks: module.tasks.filter((key) => !gone.has(key)),
  }))
  return withoutModules(
    { ...draft, modules },
    ({ tasks, registered }) => tasks.length === 0 && registered === null,
  )
}

/** The phase with the most tasks. */
const fullest = ({ phases, tasks }: WorkflowDraft): string => {
  const count = (key: string) => tasks.filter(({ phase }) => phase === key).length
  return [...phases].sort((a, b) => count(b.key) - count(a.key))[0]?.key ?? ''
}

/** What goes wrong with workflows, each defect by itself. */
export const workflowDefects = {
  droppedTasks: (draft, random) => {
    const left = changeTasks(draft, ofWhich(0.4, random), () => [])
    const keys = new Set(left.tasks.map(({ key }) => key))
    const gone = draft.tasks.map(({ key }) => key).filter((key) => !keys.has(key))
    return withoutMembers(left, new Set(gone))
  },
  droppedPhase: (draft) => {
    const target = fullest(draft)
    const left = withoutModules(draft, ({ phase }) => phase === target)
    return {
      ...left,
      phases: left.phases.filter(({ key }) => key !== target),
      tasks: left.tasks.filter(({ phase }) => phase !== target),
    }
  },
  vagueSteps: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task, i) => [
      { ...task, steps: [`Deal with part ${i + 1} as appropriate`, `See to item ${i + 1}, etc`] },
    ]),
  strayTasks: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task, i) => [
      {
        ...task,
        name: `Water plant ${i + 1} on the terrace`,
        steps: [`Pour ${i + 2} litres into pot ${i + 1}`],
        outputs: task.outputs.map((output) => ({ ...output, name: `Watered plant ${i + 1}` })),
        done: `The soil of pot ${i + 1} is wet.`,
        note: '',
      },
    ]),
  unknownRoles: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [{ ...task, role: `${task.role}-gone` }]),
  unknownInputs: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [
      { ...task, inputs: task.inputs.map((input) => `${input}-gone`) },
    ]),
  emptiedTasks: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [{ ...task, inputs: [], steps: [] }]),
  lostOutputs: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [{ ...task, outputs: [] }]),
  circularTasks: (draft) => {
    const last = draft.tasks.at(-1)?.outputs.map(({ key }) => key) ?? []
    const before = draft.tasks.map(({ outputs }) => outputs.map(({ key }) => key))
    const tasks = draft.tasks.map((task, i) => ({
      ...task,
      inputs: [...new Set([...task.inputs, ...(i === 0 ? last : (before[i - 1] ?? []))])],
    }))
    return { ...draft, tasks }
  },
  circularModules: (draft) => ({
    ...draft,
    modules: draft.modules.map((module, i, all) => ({
      ...module,
      dependsOn: [...new Set([...module.dependsOn, all.at(i - 1)?.key ?? ''])],
    })),
  }),
  lostModule: (draft) => {
    const [target] = [...draft.modules].sort((a, b) => b.tasks.length - a.tasks.length)
    return withoutModules(draft, (module) => module === target)
  },
  unknownDependencies: (draft) => ({
    ...draft,
    modules: draft.modules.map((one) => ({ ...one, dependsOn: [...one.dependsOn, 'nobody'] })),
  }),
  copiedTasks: (draft, random) => {
    const copied = changeTasks(draft, ofWhich(0.4, random), (task) => [
      task,
      {
        ...task,
        key: `${task.key}-copy`.slice(-40).replace(/^-+|^\d+/, ''),
        outputs: task.outputs.map((one) => ({ ...one, key: `${one.key}-copy` })),
      },
    ])
    return copied
  },
  copiedSteps: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [
      { ...task, steps: task.steps.flatMap((step) => [step, step]) },
    ]),
  overLongTexts: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [
      {
        ...task,
        steps: task.steps.map(
          (step) => `${step} ${'And whoever does it should keep that in mind.'.repeat(10)}`,
        ),
      },
    ]),
  longNotes: (draft, random) =>
    changeTasks(draft, ofWhich(0.4, random), (task) => [
      { ...task, note: `${task.done} ${'This is worth knowing. '.repeat(20)}` },
    ]),
  wrongForm: (draft) => ({
    ...draft,
    form: draft.form === 'checklist' ? 'narrative' : 'checklist',
    roles: draft.roles.slice(-1),
  }),
  noRoles: (draft) => ({ ...draft, roles: [] }),
  turnedPhases: (draft) => ({ ...draft, phases: draft.phases.toReversed() }),
} satisfies Record<string, Defect>

export type WorkflowDefectName = keyof typeof workflowDefects

/** A draft with the named defects, one after another, where chance says. */
export const withWorkflowDefects = (
  draft: WorkflowDraft,
  names: readonly WorkflowDefectName[],
  random: () => number,
): WorkflowDraft =>
  names.reduce<WorkflowDraft>((faulty, name) => workflowDefects[name](faulty, random), draft)
