import { statementKey, workflowLimits, type WorkflowTask } from '@almanac/documents'
import { lowerFirst, shortened } from '../wording.ts'
import { changeTasks, counterpartOf, freeId, inTurn, type Material, type Move } from './material.ts'
import { sourcesFor } from './sources.ts'
import { concreteStep } from './wording.ts'

interface Named {
  id: string
  name: string
}

const thingKey = ({ id, name }: Named): string => `${id} ${statementKey(name)}`

/** Things without those of an id and a name that an earlier one has. */
function firstOfEach<T extends Named>(things: readonly T[]): T[] {
  const seen = new Set<string>()
  return things.filter((one) => !seen.has(thingKey(one)) && Boolean(seen.add(thingKey(one))))
}

/**
 * No id names two things: of two things of one sort, id and name the second goes, and of others it gets
 * another id. A phase that goes leaves its tasks to the first one.
 */
const withDistinctIds: Move = (workflow) => {
  const taken = new Set<string>()
  const distinct = <T extends Named>(list: readonly T[]): T[] =>
    firstOfEach(list).map((one) => {
      const id = freeId(taken, one.id)
      return id === one.id ? one : { ...one, id }
    })
  const [roles, inputs] = [distinct(workflow.roles), distinct(workflow.inputs)]
  const tasksOf = Map.groupBy(workflow.phases, thingKey)
  const phases = distinct(
    workflow.phases.map((phase) => ({
      ...phase,
      tasks: (tasksOf.get(thingKey(phase)) ?? []).flatMap(({ tasks }) => tasks),
    })),
  )
  const modules = distinct(workflow.modules)
  const kept = new Set(firstOfEach(phases.flatMap(({ tasks }) => tasks)))
  return {
    ...workflow,
    ...{ roles, inputs, modules },
    phases: phases.map((phase) => ({
      ...phase,
      tasks: phase.tasks
        .filter((task) => kept.has(task))
        .map((task) => ({
          ...task,
          id: freeId(taken, task.id),
          outputs: distinct(task.outputs),
        })),
    })),
  }
}

/** Half of its steps said elsewhere make a task of the same name the same task. */
const sameShare = 0.5

/** No task is there twice: the second goes, or where it says something else, has another name. */
const withDistinctTasks: Move = (workflow, material) => {
  const first = new Map<string, WorkflowTask>()
  const stands = new Map<string, string>()
  const phases = workflow.phases.map((phase) => ({
    ...phase,
    tasks: phase.tasks.flatMap((task) => {
      const key = statementKey(task.name)
      const known = first.get(key)
      if (!known) return [(first.set(key, task), task)]
      if (!isSame(known, task)) {
        const named = { ...task, name: otherName(material, task, first) }
        return [(first.set(statementKey(named.name), named), named)]
      }
      const instead = known.outputs[0]?.id ?? ''
      for (const { id } of task.outputs) stands.set(id, instead)
      return []
    }),
  }))
  if (stands.size === 0) return { ...workflow, phases }
  const left = new Set(phases.flatMap(({ tasks }) => tasks.map(({ id }) => id)))
  const modules = workflow.modules.map((module) => ({
    ...module,
    tasks: module.tasks.filter((id) => left.has(id)),
  }))
  return changeTasks({ ...workflow, phases, modules }, ({ task }, now) => {
    if (!task.inputs.some((input) => stands.has(input))) return task
    const own = new Set(task.outputs.map(({ id }) => id))
    const inputs = task.inputs.map((input) => stands.get(input) ?? input)
    return {
      ...task,
      inputs: sourcesFor(
        now,
        task,
        inputs.filter((input) => !own.has(input)),
      ),
    }
  })
}

function isSame(known: WorkflowTask, task: WorkflowTask): boolean {
  const said = new Set(known.steps.map((step) => statementKey(step)))
  const again = task.steps.filter((step) => said.has(statementKey(step)))
  return again.length >= sameShare * task.steps.length
}

function otherName(
  material: Material,
  task: WorkflowTask,
  names: ReadonlyMap<string, unknown>,
): string {
  const result = task.outputs[0]?.name ?? task.id.replaceAll('-', ' ')
  const wanted = [
    counterpartOf(material, task.id)?.name ?? '',
    `${task.name}: ${lowerFirst(result)}`,
    `${task.name} (${task.id.replaceAll('-', ' ')})`,
  ].map((name) => shortened(name, workflowLimits.nameCharacters))
  return wanted.find((name) => name !== '' && !names.has(statementKey(name))) ?? task.name
}

/** No step is said twice: the second goes; an only step becomes one of the task's own. */
export const withDistinctSteps: Move = (workflow, material) => {
  const said = new Set<string>()
  const isNew = (step: string) =>
    !said.has(statementKey(step)) && Boolean(said.add(statementKey(step)))
  return changeTasks(workflow, ({ task }) => {
    const steps = task.steps.filter(isNew)
    if (steps.length === task.steps.length) return task
    if (steps.length > 0) return { ...task, steps }
    const own = counterpartOf(material, task.id)?.steps ?? []
    const other = [...own, concreteStep(task)].find(isNew)
    return other === undefined ? task : { ...task, steps: [other] }
  })
}

/** Each thing once: ids, tasks, steps. */
export const withEachOnce: Move = inTurn(withDistinctIds, withDistinctTasks, withDistinctSteps)
