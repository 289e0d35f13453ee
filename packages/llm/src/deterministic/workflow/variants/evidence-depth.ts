import {
  namedIn,
  saysHardlyAWord,
  statementKey,
  tasksOf,
  termsOf,
  vagueness,
  vagueWords,
  workflowLimits,
  type PlacedTask,
  type Term,
  type WorkflowContent,
  type WorkflowTask,
} from '@almanac/documents'
import { shortened } from '../wording.ts'
import { changeTasks, counterpartOf, type Material, type Move } from './material.ts'
import { sourcesFor } from './sources.ts'
import { concreteStep, withoutWords } from './wording.ts'

/**
 * Makes vague tasks particular: steps that say nothing become those that the composer knows for the task,
 * or lose their empty words; a task that has nothing to do with the purpose says what of it it serves; and
 * such a task needs what the task before it in its module makes, instead of nothing but what lay there
 * from the beginning. Tasks that are not vague stay.
 */
export const deepenTasks: Move = (workflow, material) => {
  const terms = termsOf(workflow.metadata.purpose)
  const said = new Set(
    tasksOf(workflow).flatMap(({ task }) => task.steps.map((step) => statementKey(step))),
  )
  return changeTasks(workflow, (placed, now) => {
    const faults = vagueness([placed], terms)
    if (faults.length === 0) return placed.task
    const vague = new Set(faults.flatMap(({ step }) => step ?? []))
    const isAdrift = faults.some(({ step }) => step === undefined)
    const own = counterpartOf(material, placed.task.id)
    const bound = isAdrift ? boundToPurpose(material, placed, own, terms) : placed.task
    const steps = particular(bound, own, vague, said)
    return { ...bound, steps, inputs: linked(now, placed) }
  })
}

/** The steps, in the place of each vague one another that nobody has said, or none. */
function particular(
  task: WorkflowTask,
  own: WorkflowTask | undefined,
  vague: ReadonlySet<number>,
  said: Set<string>,
): string[] {
  const fresh = (step: string) =>
    vagueWords(step) === undefined && !saysHardlyAWord(step) && !said.has(statementKey(step))
  const known = [...(own?.steps ?? [])]
  const steps = task.steps.flatMap((step, i) => {
    if (!vague.has(i)) return [step]
    const better = own ? known.find(fresh) : [withoutVagueWords(step)].find(fresh)
    if (better === undefined) return []
    said.add(statementKey(better))
    return [better]
  })
  if (steps.length > 0) return steps
  const last = concreteStep(task)
  return fresh(last) ? [last] : task.steps
}

function withoutVagueWords(step: string): string {
  let text = step
  for (let words = vagueWords(text); words !== undefined; words = vagueWords(text))
    text = withoutWords(text, words)
  return text
}

/** The task as the composer has it, or with an output that names the part of the purpose that it serves. */
function boundToPurpose(
  { plan }: Material,
  { task, phase }: PlacedTask,
  own: WorkflowTask | undefined,
  terms: readonly Term[],
): WorkflowTask {
  if (own) {
    const outputs = task.outputs.map((output, i) => ({
      ...output,
      name: own.outputs[i]?.name ?? output.name,
    }))
    return { ...task, name: own.name, outputs, done: own.done }
  }
  const objects = plan.clauses.map(({ object }) => object)
  const around = namedIn(terms, `${phase.name}\n${phase.goal}`)
  const serves =
    objects.find((object) => namedIn(around, object).length > 0) ??
    objects.find((object) => namedIn(terms, object).length > 0) ??
    terms[0]?.word
  if (serves === undefined) return task
  const most = workflowLimits.nameCharacters
  const tied = (name: string) =>
    `${shortened(name, most >> 1)} for the ${shortened(serves, most / 3)}`
  return {
    ...task,
    outputs: task.outputs.map((output, i) =>
      i === 0 ? { ...output, name: tied(output.name) } : output,
    ),
  }
}

/** The inputs; where none of them is another task's output, what the task before it in its module makes. */
function linked(workflow: WorkflowContent, { task }: PlacedTask): string[] {
  const beginnings = new Set(workflow.inputs.map(({ id }) => id))
  if (task.inputs.some((input) => !beginnings.has(input))) return task.inputs
  const holder = workflow.modules.find(({ tasks }) => tasks.includes(task.id))
  const before = holder?.tasks[holder.tasks.indexOf(task.id) - 1]
  const maker = tasksOf(workflow).find((placed) => placed.task.id === before)
  const made = maker?.task.outputs.slice(0, 1).map(({ id }) => id) ?? []
  return made.length === 0 ? task.inputs : sourcesFor(workflow, task, [...task.inputs, ...made])
}
