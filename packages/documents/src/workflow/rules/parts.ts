import type { Finding } from '@almanac/domain'
import type { Judged } from './rule.ts'

/** MISSING_SECTION: a workflow has roles, phases with tasks, modules that hold every task once. */
export function partFindings({ content, tasks }: Judged): Finding[] {
  const missing = (path: string, message: string, expected: string): Finding => ({
    code: 'MISSING_SECTION',
    severity: 'error',
    path,
    message,
    expected,
    found: 'none',
  })
  const { roles, phases, modules } = content
  return [
    ...(roles.length === 0 ? [missing('/roles', 'nobody does the work', 'at least one role')] : []),
    ...(phases.length === 0 ? [missing('/phases', 'there is no phase', 'at least one phase')] : []),
    ...(modules.length === 0
      ? [missing('/modules', 'there is no module', 'at least one module')]
      : []),
    ...phases.flatMap(({ id, tasks: own }, p) =>
      own.length > 0 || modules.some(({ phase, registered }) => phase === id && registered !== null)
        ? []
        : [missing(`/phases/${p}/tasks`, `the phase ${id} has no task`, 'at least one task')],
    ),
    ...tasks.flatMap(({ task, path }) => [
      ...(task.steps.length === 0
        ? [missing(`${path}/steps`, `the task ${task.id} has no step`, 'at least one step')]
        : []),
      ...(task.inputs.length === 0
        ? [missing(`${path}/inputs`, `the task ${task.id} needs nothing`, 'at least one input')]
        : []),
      ...(task.outputs.length === 0
        ? [missing(`${path}/outputs`, `the task ${task.id} makes nothing`, 'at least one output')]
        : []),
    ]),
  ]
}

/** MISSING_SECTION: every task is in a module of its phase, and DUPLICATE_ITEM: in no second one. */
export function membershipFindings({ content, tasks }: Judged): Finding[] {
  return tasks.flatMap(({ task, phase, path }): Finding[] => {
    const holders = content.modules.filter((module) => module.tasks.includes(task.id))
    const [first, second] = holders
    if (!first)
      return [
        {
          code: 'MISSING_SECTION',
          severity: 'error',
          path,
          message: `the task ${task.id} is in no module`,
          expected: `a module of the phase ${phase.id}`,
          found: 'none',
        },
      ]
    if (!second) return []
    return [
      {
        code: 'DUPLICATE_ITEM',
        severity: 'error',
        path,
        message: `the task ${task.id} is in the modules ${holders.map(({ id }) => id).join(', ')}`,
        expected: 'one module',
        found: String(holders.length),
      },
    ]
  })
}
