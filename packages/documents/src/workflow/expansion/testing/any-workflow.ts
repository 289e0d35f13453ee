import type { RunPackage } from '@almanac/domain'
import fc from 'fast-check'
import { workflowContentOf, workflowFixtureDraft } from '../../../fixtures/workflow.ts'
import { workflowPackage } from '../../../fixtures/workflow-package.ts'
import type { WorkflowContent, WorkflowPartsDraft, WorkflowPhase } from '../../schema.ts'

export const runPackage: RunPackage = workflowPackage()

interface Shape {
  /** Of each phase its tasks; of each task a number that decides what it needs and whose module it is in. */
  phases: number[][]
}

const shape: fc.Arbitrary<Shape> = fc.record({
  phases: fc.array(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 9 }), {
    minLength: 1,
    maxLength: 4,
  }),
})

/** A valid workflow: tasks need what earlier ones make, and modules are runs of tasks of a phase. */
export const anyWorkflow: fc.Arbitrary<WorkflowContent> = shape.map(({ phases }) => {
  const draft = workflowFixtureDraft(runPackage)
  const things = ['applications']
  const moduleOf = new Map<string, string>()
  const tasks = phases.flatMap((seeds, p) =>
    seeds.map((seed, t) => {
      const key = `task-${p}-${t}`
      const needs = [0, 1, 2].slice(0, 1 + (seed % 3))
      const inputs = needs.map((n) => things[(seed >> n) % things.length] ?? 'applications')
      const outputs = [0, 1].slice(0, 1 + (seed % 2)).map((n) => `made-${p}-${t}-${n}`)
      things.push(...outputs)
      const before = t === 0 || seed % 4 === 0 ? undefined : moduleOf.get(`task-${p}-${t - 1}`)
      moduleOf.set(key, before ?? `module-${p}-${t}`)
      return {
        ...{ key, phase: `phase-${p}`, role: 'officer', note: '' },
        name: `Onboard chemical suppliers, part ${greek(p)} ${metal(t)}`,
        steps: [`Audit the sheets of supplier ${greek(p)} ${metal(t)} within 30 days.`],
        inputs: [...new Set(inputs)],
        outputs: outputs.map((output) => ({ key: output, name: `Thing ${output}` })),
        done: `The log names task ${p} ${t}.`,
      }
    }),
  )
  const makers = new Map(tasks.flatMap(({ key, outputs }) => outputs.map((one) => [one.key, key])))
  const modules = [...new Set(moduleOf.values())].map((key) => {
    const own = tasks.filter((task) => moduleOf.get(task.key) === key)
    const needed = own.flatMap(({ inputs }) => inputs.flatMap((one) => makers.get(one) ?? []))
    const others = new Set(needed.flatMap((task) => moduleOf.get(task) ?? []))
    others.delete(key)
    return {
      ...{ key, name: `Module ${key}`, purpose: `Holds ${key}.`, registered: null },
      phase: own[0]?.phase ?? '',
      tasks: own.map((task) => task.key),
      dependsOn: [...others],
    }
  })
  const named = phases.map((_, p) => ({
    ...{ key: `phase-${p}`, kind: 'produce' as const },
    name: `Onboard and audit ${greek(p)}`,
    goal: `The suppliers of ${greek(p)} are audited.`,
  }))
  return workflowContentOf(runPackage, { ...draft, phases: named, tasks, modules })
})

const greek = (n: number): string => ['alpha', 'beta', 'gamma', 'delta'][n] ?? String(n)
const metal = (n: number): string =>
  ['iron', 'zinc', 'lead', 'tin', 'gold', 'silver', 'copper', 'nickel', 'cobalt'][n] ?? String(n)

/** The tasks of a phase, in their order, as sub-phases that begin where `cuts` say. */
export function partsOf(phase: WorkflowPhase, cuts: readonly number[]): WorkflowPartsDraft {
  const starts = [0, ...cuts].filter((at, i, all) => all.indexOf(at) === i).sort((a, b) => a - b)
  const keyAt = (t: number) => `${phase.id}-${starts.findLastIndex((at) => at <= t) + 1}`
  return {
    phases: starts.map((_, i) => ({
      ...{ key: `${phase.id}-${i + 1}`, name: `${phase.name}, part ${i + 1}` },
      ...{ kind: phase.kind, goal: `Part ${i + 1} of this: ${phase.goal}` },
    })),
    tasks: phase.tasks.map(({ id, outputs, ...task }, t) => ({
      ...{ ...task, key: id, phase: keyAt(t) },
      outputs: outputs.map((output) => ({ key: output.id, name: output.name })),
    })),
  }
}
