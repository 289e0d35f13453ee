import {
  expandBriefOf,
  mostNamedOf,
  namedIn,
  termsOf,
  workflowContent,
  workflowLimits,
  type Call,
  type WorkflowContent,
  type WorkflowPartsDraft,
  type WorkflowPhase,
  type WorkflowTask,
} from '@almanac/documents'
import { keyed } from '../variants/draft.ts'
import { lowerFirst, shortened } from '../wording.ts'
import { dividedTasks } from './divide-tasks.ts'

/** A call that expands a phase, with the workflow that it is a phase of as its first input. */
export interface ExpansionAsk {
  call: Call
  inputs: readonly string[]
}

/**
 * Composes the sub-phases of a phase: its tasks, unchanged, in groups along their dependencies, each
 * group a sub-phase. Undefined where the call has no brief, its input is no workflow, or there is
 * nothing to divide. Pure.
 */
export function expandPhase({ call, inputs }: ExpansionAsk): WorkflowPartsDraft | undefined {
  const brief = expandBriefOf(call)
  const stored = workflowContent.safeParse(JSON.parse(inputs[0] ?? 'null'))
  if (!brief || !stored.success) return undefined
  const content = stored.data
  const phase = content.phases.find(({ id }) => id === brief.phase)
  const limits = { above: brief.above, most: brief.mostPhases }
  const groups = phase && dividedTasks(content, phase, limits)
  if (!phase || !groups) return undefined
  const keys = subPhaseKeys(content, phase, groups.length)
  return {
    phases: groups.map((group, i) => ({
      key: keys[i] ?? '',
      name: nameOf(content, phase, group, `part ${i + 1} of ${groups.length}`),
      kind: phase.kind,
      goal: shortened(
        `At its end there is: ${made(group).map(lowerFirst).join('; ')}.`,
        workflowLimits.sentenceCharacters - 5,
      ),
    })),
    tasks: groups.flatMap((group, i) =>
      group.map(({ outputs, ...task }) => ({
        ...keyed(task),
        phase: keys[i] ?? '',
        outputs: outputs.map(keyed),
      })),
    ),
  }
}

const made = (group: readonly WorkflowTask[]): string[] =>
  group.flatMap(({ outputs }) => outputs.map(({ name }) => name))

/**
 * The phase's name with what its part ends with; that it is a part, where the longer name would be a list
 * of what the purpose names, or too long.
 */
function nameOf(
  { metadata }: WorkflowContent,
  { name }: WorkflowPhase,
  group: readonly WorkflowTask[],
  part: string,
): string {
  const terms = termsOf(metadata.purpose)
  const most = Math.max(mostNamedOf(terms), namedIn(terms, name).length)
  const last = made(group).at(-1) ?? part
  const told = `${name}: ${lowerFirst(last)}`
  const fits = told.length < workflowLimits.nameCharacters && namedIn(terms, told).length <= most
  return fits ? told : shortened(`${name}, ${part}`, workflowLimits.nameCharacters - 2)
}

/** `phase-2-audit-1`, `phase-2-audit-2`; other numbers where something has such a key. */
function subPhaseKeys(content: WorkflowContent, { id }: WorkflowPhase, count: number): string[] {
  const { roles, inputs, phases, modules } = content
  const taken = new Set(
    [
      ...[...roles, ...inputs, ...phases, ...modules],
      ...phases.flatMap(({ tasks }) => tasks.flatMap((task) => [task, ...task.outputs])),
    ].map((one) => one.id),
  )
  const start = id.slice(0, workflowLimits.keyCharacters - 4).replace(/-+$/, '')
  const keys: string[] = []
  for (let n = 1; keys.length < count; n += 1) {
    const key = `${start}-${n}`
    if (!taken.has(key)) keys.push(key)
  }
  return keys
}
