import {
  complexityOf,
  taskDependencies,
  type WorkflowContent,
  type WorkflowPhase,
  type WorkflowTask,
} from '@almanac/documents'

/** Consecutive groups of tasks, and what is wrong with them. */
interface Division {
  groups: WorkflowTask[][]
  /** The complexity of the most complex group, or what a phase may have where all are below it. */
  worst: number
  /** Modules that are divided with the tasks. */
  broken: number
  largest: number
}

/**
 * The tasks of a phase in 2 to `most` groups, of which none needs anything of a later one: as few as bring
 * each below `above`, or where none do those whose most complex group is least so. Modules stay whole where
 * that costs nothing. Undefined of a phase with a single task.
 */
export function dividedTasks(
  content: WorkflowContent,
  phase: WorkflowPhase,
  { above, most }: { above: number; most: number },
): WorkflowTask[][] | undefined {
  const moduleOf = new Map(
    content.modules.flatMap(({ id, tasks }) => tasks.map((task) => [task, id] as const)),
  )
  const tasks = inOrder(content, phase, moduleOf)
  const complexity = memo((from, to) =>
    Math.max(above, complexityOf(content, { tasks: tasks.slice(from, to) }).total),
  )
  const isBreak = (at: number) =>
    moduleOf.get(tasks[at - 1]?.id ?? '') === moduleOf.get(tasks[at]?.id ?? '')
  const best = memo((from, count): Division | undefined => {
    if (count === 1) {
      const worst = complexity(from, tasks.length)
      const group = tasks.slice(from)
      return { groups: [group], worst, broken: 0, largest: group.length }
    }
    let found: Division | undefined
    for (let at = from + 1; at <= tasks.length - count + 1; at += 1) {
      const rest = best(at, count - 1)
      if (!rest) continue
      const division = {
        groups: [tasks.slice(from, at), ...rest.groups],
        worst: Math.max(complexity(from, at), rest.worst),
        broken: rest.broken + (isBreak(at) ? 1 : 0),
        largest: Math.max(at - from, rest.largest),
      }
      if (!found || isBetter(division, found)) found = division
    }
    return found
  })
  let found: Division | undefined
  for (let count = 2; count <= Math.min(most, tasks.length); count += 1) {
    const division = best(0, count)
    if (division && (!found || division.worst < found.worst)) found = division
    if (found && found.worst <= above) break
  }
  return found?.groups
}

const isBetter = (a: Division, b: Division): boolean =>
  (a.worst - b.worst || a.broken - b.broken || a.largest - b.largest) < 0

/** The tasks of a phase, each after those that it needs, and those of a module together where that can be. */
function inOrder(
  content: WorkflowContent,
  { tasks }: WorkflowPhase,
  moduleOf: ReadonlyMap<string, string>,
): WorkflowTask[] {
  const needs = taskDependencies(content)
  const waiting = [...tasks]
  const order: WorkflowTask[] = []
  while (waiting.length > 0) {
    const ready = waiting.filter(
      ({ id }) => !waiting.some((other) => other.id !== id && needs.get(id)?.includes(other.id)),
    )
    const last = moduleOf.get(order.at(-1)?.id ?? '')
    // A cycle leaves nothing ready; the document's order is then as good as any.
    const next = ready.find(({ id }) => moduleOf.get(id) === last) ?? ready[0] ?? waiting[0]
    if (!next) break
    order.push(next)
    waiting.splice(waiting.indexOf(next), 1)
  }
  return order
}

function memo<T>(work: (a: number, b: number) => T): (a: number, b: number) => T {
  const known = new Map<string, T>()
  return (a, b) => {
    const key = `${a}/${b}`
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found as T
    const made = work(a, b)
    known.set(key, made)
    return made
  }
}
