import type { Finding } from '@almanac/domain'
import { clipped, listed } from '../../finding.ts'
import { cycles } from '../graph.ts'
import { makersOf, moduleDependencies, taskDependencies } from '../task-list.ts'
import type { Judged } from './rule.ts'

const unknown = (path: string, what: string, found: string, known: readonly string[]): Finding => ({
  code: 'UNKNOWN_REFERENCE',
  severity: 'error',
  path,
  message: `${what} ${JSON.stringify(clipped(found))}, which is not there`,
  expected: clipped(listed(known) || 'none'),
  found: clipped(found),
})

/** UNKNOWN_REFERENCE: what tasks and modules name exists, and modules hold tasks of their phase. */
export function referenceFindings({ content, tasks, runPackage }: Judged): Finding[] {
  const roles = content.roles.map(({ id }) => id)
  const things = [...content.inputs.map(({ id }) => id), ...makersOf(content).keys()]
  const phases = content.phases.map(({ id }) => id)
  const modules = content.modules.map(({ id }) => id)
  const registered = (runPackage.modules ?? []).map(({ key }) => key)
  const phaseOf = new Map(tasks.map(({ task, phase }) => [task.id, phase.id]))
  return [
    ...tasks.flatMap(({ task, path }) => [
      ...(roles.includes(task.role)
        ? []
        : [unknown(`${path}/role`, `the task ${task.id} is done by`, task.role, roles)]),
      ...task.inputs.flatMap((input, i) =>
        things.includes(input)
          ? []
          : [unknown(`${path}/inputs/${i}`, `the task ${task.id} needs`, input, things)],
      ),
    ]),
    ...content.modules.flatMap((module, m) => {
      const path = `/modules/${m}`
      const of = `the module ${module.id}`
      const own = [...phaseOf].filter(([, phase]) => phase === module.phase).map(([id]) => id)
      return [
        ...(phases.includes(module.phase)
          ? []
          : [unknown(`${path}/phase`, `${of} belongs to the phase`, module.phase, phases)]),
        ...module.tasks.flatMap((task, t) =>
          own.includes(task)
            ? []
            : [unknown(`${path}/tasks/${t}`, `${of} holds, of its phase, the task`, task, own)],
        ),
        ...module.dependsOn.flatMap((other, d) =>
          modules.includes(other)
            ? []
            : [unknown(`${path}/dependsOn/${d}`, `${of} depends on`, other, modules)],
        ),
        ...(module.registered === null || registered.includes(module.registered)
          ? []
          : [unknown(`${path}/registered`, `${of} is the module`, module.registered, registered)]),
      ]
    }),
  ]
}

/** Registered modules are used once each, and whole; other modules hold tasks. */
export function registeredFindings({ content, runPackage }: Judged): Finding[] {
  const finding = (path: string, message: string, expected: string, found: string): Finding => ({
    code: 'MISSING_SECTION',
    severity: 'error',
    path,
    message,
    expected,
    found,
  })
  return [
    ...(runPackage.modules ?? []).flatMap(({ key }) =>
      content.modules.some(({ registered }) => registered === key)
        ? []
        : [finding('/modules', `the registered module ${key} is not used`, 'one use', 'none')],
    ),
    ...content.modules.flatMap(({ id, registered, tasks }, m): Finding[] => {
      if (registered === null && tasks.length === 0)
        return [
          finding(`/modules/${m}/tasks`, `the module ${id} is empty`, 'at least one task', 'none'),
        ]
      if (registered !== null && tasks.length > 0)
        return [
          finding(
            `/modules/${m}/tasks`,
            `the module ${id} is a registered one, but has tasks of its own`,
            'no tasks',
            String(tasks.length),
          ),
        ]
      return []
    }),
  ]
}

/** DEPENDENCY_CYCLE: no task and no module waits for itself, directly or through others. */
export function cycleFindings({ content, tasks }: Judged): Finding[] {
  const pathOf = new Map([
    ...tasks.map(({ task, path }) => [task.id, `${path}/inputs`] as const),
    ...content.modules.map(({ id }, m) => [id, `/modules/${m}/dependsOn`] as const),
  ])
  const found = (noun: string, circle: readonly string[]): Finding => ({
    code: 'DEPENDENCY_CYCLE',
    severity: 'error',
    path: pathOf.get(circle[0] ?? '') ?? '',
    message: `the ${noun} ${circle[0] ?? ''} waits for itself`,
    expected: 'an order in which each comes after what it needs',
    found: clipped([...circle, circle[0] ?? ''].join(' needs ')),
  })
  return [
    ...cycles(taskDependencies(content)).map((circle) => found('task', circle)),
    ...cycles(moduleDependencies(content)).map((circle) => found('module', circle)),
  ]
}

/** UNKNOWN_REFERENCE (warning): a module depends on every module whose outputs its tasks need. */
export function impliedFindings({ content }: Judged): Finding[] {
  const moduleOf = new Map(
    content.modules.flatMap(({ id, tasks }) => tasks.map((task) => [task, id] as const)),
  )
  const needs = taskDependencies(content)
  return content.modules.flatMap(({ id, tasks, dependsOn }, m): Finding[] => {
    const implied = tasks
      .flatMap((task) => needs.get(task) ?? [])
      .flatMap((task) => moduleOf.get(task) ?? [])
    return [...new Set(implied)]
      .filter((other) => other !== id && !dependsOn.includes(other))
      .map((other) => ({
        code: 'UNKNOWN_REFERENCE',
        severity: 'warning',
        path: `/modules/${m}/dependsOn`,
        message: `the module ${id} needs what ${other} makes, but does not depend on it`,
        expected: other,
        found: listed(dependsOn) || 'none',
      }))
  })
}
