import type { Json } from '@almanac/domain'
import { z } from 'zod'
import { fits } from '../json-schema/fits.ts'
import type { SchemaNode } from '../json-schema/node.ts'
import type { SeededNumbers } from '../seeded.ts'
import { dataBlocks } from './data-blocks.ts'
import { expansionAnswer } from './expansion-answer.ts'
import { words } from './prose.ts'

/** As much of a workflow's run package as an answer is composed of. */
const workflowPackage = z.object({
  packageVersion: z.number(),
  specification: z.object({
    body: z.object({
      kind: z.literal('workflow'),
      purpose: z.string(),
      audience: z.string(),
      modules: z.array(z.string()).default([]),
    }),
  }),
})
type Body = z.output<typeof workflowPackage>['specification']['body']

/**
 * The answer to a request whose input holds the run package of a workflow: the sub-phases of the phase
 * that its task names, or the phase, or the whole draft, that the schema has room for. Its keys are always
 * the same, so that each phase fits what the phases before it answered; `numbers` decide its words.
 * Undefined where nothing fits.
 */
export function workflowAnswer(
  texts: readonly string[],
  schema: SchemaNode,
  numbers: SeededNumbers,
): Json | undefined {
  const body = findBody(texts)
  if (!body) return undefined
  const outline = outlineOf(body, numbers)
  const tasks = tasksOf(body, numbers)
  const modules = modulesOf(body)
  const expansion = expansionAnswer(texts)
  const answers: Json[] = [
    ...(expansion === undefined ? [] : [expansion]),
    ...[outline, tasks, modules, { ...outline, ...tasks, ...modules }],
  ]
  return answers.find((answer) => fits(schema, answer))
}

function findBody(texts: readonly string[]): Body | undefined {
  for (const { value } of dataBlocks(texts)) {
    const parsed = workflowPackage.safeParse(value)
    if (parsed.success) return parsed.data.specification.body
  }
  return undefined
}

const phases = [
  { key: 'phase-prepare', kind: 'prepare', name: 'Prepare' },
  { key: 'phase-carry-out', kind: 'produce', name: 'Carry out' },
  { key: 'phase-check', kind: 'check', name: 'Check' },
] as const

const tasksPerPhase = 2
const people = (audience: string): string => plain(audience).slice(0, 100)

/** Text of a specification as a model would write it: on one line, without what looks like markup. */
const plain = (text: string): string =>
  text
    .replace(/[<>`[\]]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

function outlineOf({ purpose, audience }: Body, numbers: SeededNumbers) {
  return {
    summary: `${plain(purpose).slice(0, 600)}: ${words(numbers, 8)}.`,
    form: 'steps',
    roles: [{ key: 'role-lead', name: people(audience), duty: `${words(numbers, 6)}.` }],
    inputs: [{ key: 'input-brief', name: 'Brief' }],
    phases: phases.map((phase) => ({ ...phase, goal: `${plain(purpose).slice(0, 380)}.` })),
  }
}

/** Two tasks a phase, each with a share of the purpose's words, each needing what the one before made. */
function tasksOf({ purpose }: Body, numbers: SeededNumbers) {
  const said = plain(purpose).split(' ')
  const count = phases.length * tasksPerPhase
  const share = Math.ceil(said.length / count)
  return {
    tasks: Array.from({ length: count }, (_, i) => {
      const about = said.slice(i * share, (i + 1) * share).join(' ') || said.slice(0, 3).join(' ')
      return {
        key: `task-${i + 1}`,
        name: `${words(numbers, 3)} ${i + 1}: ${about}`.slice(0, 110),
        phase: phases[Math.floor(i / tasksPerPhase)]?.key ?? '',
        role: 'role-lead',
        steps: [`${words(numbers, 9)}.`, `${words(numbers, 8)}.`],
        inputs: [i === 0 ? 'input-brief' : `output-${i}`],
        outputs: [{ key: `output-${i + 1}`, name: `${words(numbers, 2)} ${i + 1}` }],
        done: `${words(numbers, 7)}.`,
        note: `${words(numbers, 7)}.`,
      }
    }),
  }
}

/** A module a phase, then the registered ones, each after the last of those. */
function modulesOf({ modules }: Body) {
  const own = phases.map(({ key, name }, i) => ({
    key: `module-${i + 1}`,
    name: `${name}, as a module`,
    phase: key,
    purpose: `${name} what the purpose asks for.`,
    registered: null,
    tasks: Array.from({ length: tasksPerPhase }, (_, t) => `task-${i * tasksPerPhase + t + 1}`),
    dependsOn: i === 0 ? [] : [`module-${i}`],
  }))
  const used = modules.map((key, i) => ({
    key: `module-registered-${i + 1}`,
    name: `Registered ${key}`.slice(0, 110),
    phase: 'phase-check',
    purpose: `Uses ${key} as it is.`,
    registered: key,
    tasks: [],
    dependsOn: [`module-${phases.length}`],
  }))
  return { modules: [...own, ...used] }
}
