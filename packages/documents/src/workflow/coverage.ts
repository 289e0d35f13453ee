import type { Finding } from '@almanac/domain'
import { stemsOf, type Term } from './reading/terms.ts'
import type { PlacedTask } from './task-list.ts'

/** How much of what a purpose names its tasks take up. */
export interface Coverage {
  /** 0 to 1; 0 when nothing is named. */
  value: number
  covered: readonly Term[]
  missing: readonly Term[]
}

/** An echo of the purpose takes up no more of it than this. */
const mostEchoed = 2

/** A text that names more of the terms of its purpose than this echoes it. */
export const mostNamedOf = (terms: readonly Term[]): number =>
  Math.max(3, Math.ceil(terms.length / 2.5))

/**
 * A term is covered when a task that can be done (steps, an output, no error of its own) names it in its
 * name, its steps, its outputs, or in how one sees that it is done; and when the name of a phase does, and
 * a task of the phase names any. A task that names more than `mostNamed` of them is an echo of the purpose:
 * it covers the first few of its name; a phase's name that is one covers nothing.
 */
export function coverageOf(
  terms: readonly Term[],
  tasks: readonly PlacedTask[],
  findings: readonly Finding[],
  mostNamed: number,
): Coverage {
  const found = new Set<string>()
  const invalid = findings
    .filter(({ severity, code }) => severity === 'error' && code !== 'DUPLICATE_ITEM')
    .map(({ path }) => taskOf(path))
  const wrong = new Set(invalid)
  for (const { task, phase, path } of tasks) {
    if (task.steps.length === 0 || task.outputs.length === 0 || wrong.has(path)) continue
    const said = [task.name, ...task.steps, ...task.outputs.map(({ name }) => name), task.done]
    const named = namedIn(terms, said.join('\n'))
    const covered =
      named.length > mostNamed ? namedIn(terms, task.name).slice(0, mostEchoed) : named
    const around = namedIn(terms, phase.name)
    const isPlaced = covered.length > 0 && around.length <= mostNamed
    for (const term of [...covered, ...(isPlaced ? around : [])]) found.add(term.stem)
  }
  const covered = terms.filter(({ stem }) => found.has(stem))
  const missing = terms.filter(({ stem }) => !found.has(stem))
  return { value: terms.length === 0 ? 0 : covered.length / terms.length, covered, missing }
}

/** The terms that a text names. */
export function namedIn(terms: readonly Term[], text: string): Term[] {
  const stems = stemsOf(text)
  return terms.filter(({ stem }) => stems.has(stem))
}

/** `/phases/0/tasks/3` of `/phases/0/tasks/3/steps/1`. */
const taskOf = (path: string): string => /^\/phases\/\d+\/tasks\/\d+/.exec(path)?.[0] ?? path
