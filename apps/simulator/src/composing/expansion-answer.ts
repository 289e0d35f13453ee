import type { Json } from '@almanac/domain'
import { z } from 'zod'
import { dataBlocks } from './data-blocks.ts'

const thing = z.object({ id: z.string(), name: z.string() })
const task = z.object({
  ...thing.shape,
  role: z.string(),
  steps: z.array(z.string()),
  inputs: z.array(z.string()),
  outputs: z.array(thing),
  done: z.string(),
  note: z.string(),
})
/** As much of a stored workflow as sub-phases are composed of. */
const workflow = z.object({
  kind: z.literal('workflow'),
  phases: z.array(
    z.object({ ...thing.shape, kind: z.string(), goal: z.string(), tasks: z.array(task) }),
  ),
})
const brief = z.object({ phase: z.string(), mostPhases: z.int() })

/**
 * The sub-phases of the phase that the task of a prompt names, of a workflow among its data: the tasks of
 * the phase in their order, in two halves. Undefined where the task names none that can be divided.
 */
export function expansionAnswer(texts: readonly string[]): Json | undefined {
  const asked = brief.safeParse(taskOf(texts))
  if (!asked.success) return undefined
  for (const { value } of dataBlocks(texts)) {
    const phase = workflow.safeParse(value).data?.phases.find(({ id }) => id === asked.data.phase)
    if (phase && phase.tasks.length > 1) return halvesOf(phase)
  }
  return undefined
}

/** What a prompt ends with, where that is JSON. */
function taskOf(texts: readonly string[]): unknown {
  const [, task = ''] = /\nTask: (\{.*\})$/.exec(texts.at(-1) ?? '') ?? []
  try {
    return JSON.parse(task)
  } catch {
    return undefined
  }
}

function halvesOf({ id, name, kind, goal, tasks }: z.output<typeof workflow>['phases'][number]) {
  const half = Math.ceil(tasks.length / 2)
  const keys = ['first', 'second'].map((place) => `${id.slice(0, 40)}-${place}`)
  return {
    phases: keys.map((key, i) => ({
      key,
      name: `${name.slice(0, 100)}, half ${i + 1}`,
      kind,
      goal,
    })),
    tasks: tasks.map(({ id: task, outputs, ...rest }, i) => ({
      ...rest,
      key: task,
      phase: keys[i < half ? 0 : 1] ?? '',
      outputs: outputs.map((output) => ({ key: output.id, name: output.name })),
    })),
  }
}
