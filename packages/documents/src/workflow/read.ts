import { catalogueKey, isStorable, type Finding, type RunPackage } from '@almanac/domain'
import type { z } from 'zod'
import type { ReadContent } from '../kind.ts'
import { clipped, listed } from '../finding.ts'
import { invalid, oneSpace, parsedText, refuse, schemaFindings } from '../read-answer.ts'
import { makingPhases, workflowSpecificationOf } from './calls.ts'
import { workflowId } from './document-id.ts'
import {
  workflowDraft,
  workflowModulesDraft,
  workflowOutlineDraft,
  workflowSchemaVersion,
  workflowTasksDraft,
  type WorkflowContent,
  type WorkflowDraft,
  type WorkflowPhase,
} from './schema.ts'

export type ReadWorkflow = ReadContent<WorkflowContent>

/**
 * Reads the answers of the three phases, or one answer that holds the whole draft, JSON values or their
 * text, whatever the engine claims about them. White space is made one space, and surrounding space of
 * keys is dropped; nothing else is changed. Findings are SCHEMA_INVALID, and UNKNOWN_REFERENCE for a
 * task of a phase that is not there.
 */
export function readWorkflow(runPackage: RunPackage, answers: readonly unknown[]): ReadWorkflow {
  const read = answers.length === 1 ? readWhole(answers[0]) : readParts(answers)
  if (read.draft === undefined) return refuse(read.findings)
  const draft = withPlainSpaces(workflowDraft, read.draft)
  const findings = draftFindings(draft)
  if (findings.length > 0) return refuse(findings)
  return { content: contentOf(runPackage, draft), findings: [] }
}

type ReadDraft =
  { draft: WorkflowDraft; findings?: undefined } | { draft?: undefined; findings: Finding[] }

function readWhole(given: unknown): ReadDraft {
  const answer = parsedText(given)
  const result = workflowDraft.safeParse(answer)
  return result.success
    ? { draft: result.data }
    : { findings: schemaFindings(result.error, answer) }
}

function readParts(answers: readonly unknown[]): ReadDraft {
  if (answers.length !== makingPhases.length) {
    const expected = `1 or ${makingPhases.length}`
    const message = 'a workflow is read from the answers of its phases'
    return { findings: [invalid([], message, expected, String(answers.length))] }
  }
  const [outline, tasks, modules] = answers.map(parsedText)
  const parts = [
    workflowOutlineDraft.safeParse(outline),
    workflowTasksDraft.safeParse(tasks),
    workflowModulesDraft.safeParse(modules),
  ] as const
  const [first, second, third] = parts
  if (first.success && second.success && third.success)
    return { draft: { ...first.data, ...second.data, ...third.data } }
  const findings = [outline, tasks, modules].flatMap((answer, i) => {
    const part: z.ZodSafeParseResult<unknown> | undefined = parts[i]
    if (!part || part.success) return []
    return schemaFindings(part.error, answer).map((finding) => ({
      ...finding,
      message: `phase ${makingPhases[i]}: ${finding.message}`,
    }))
  })
  return { findings }
}

/** A draft, or some fields of one, with every text on one line. */
export function withPlainSpaces<Draft>(schema: z.ZodType<Draft>, draft: Draft): Draft {
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') return oneSpace(value)
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
  }
  return schema.parse(plain(draft))
}

/** What of a draft, or of some fields of one, cannot become content. */
export const draftFindings = (draft: PhasesAndTasks): Finding[] => [
  ...textFindings(draft),
  ...keyFindings(draft),
  ...strayTasks(draft),
]

type PhasesAndTasks = Pick<WorkflowDraft, 'phases' | 'tasks'> & Partial<WorkflowDraft>

/** May be empty: what an audience must be told besides. */
const optional = new Set(['note'])

/** Texts that are blank, and texts that neither JSON nor the database can hold. */
function textFindings(draft: object): Finding[] {
  const findings: Finding[] = []
  const visit = (value: unknown, path: (string | number)[]): void => {
    if (typeof value === 'string') {
      if (value === '' && !optional.has(String(path.at(-1))))
        findings.push(invalid(path, 'must not be blank', 'text', '""'))
      if (!isStorable(value)) {
        const message = 'holds a NUL or half of a character, which cannot be stored'
        findings.push(invalid(path, message, 'well-formed text', JSON.stringify(value)))
      }
    } else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value))
        visit(inner, [...path, Array.isArray(value) ? Number(name) : name])
  }
  visit(draft, [])
  return findings
}

/** Keys that are none: they become ids, which stand in addresses and file names. */
function keyFindings(draft: PhasesAndTasks): Finding[] {
  const lists = ['roles', 'inputs', 'phases', 'tasks', 'modules'] as const
  const keys = [
    ...lists.flatMap((list) =>
      (draft[list] ?? []).map(({ key }, i) => ({ path: [list, i, 'key'], key })),
    ),
    ...draft.tasks.flatMap(({ outputs }, t) =>
      outputs.map(({ key }, i) => ({ path: ['tasks', t, 'outputs', i, 'key'], key })),
    ),
  ]
  return keys
    .filter(({ key }) => key !== '' && !catalogueKey.safeParse(key).success)
    .map(({ path, key }) =>
      invalid(path, 'must be lower-case words joined by hyphens', 'a key', JSON.stringify(key)),
    )
}

/** Tasks of phases that are not there: they could stand nowhere in the document. */
function strayTasks({ phases, tasks }: PhasesAndTasks): Finding[] {
  const known = phases.map(({ key }) => key)
  return tasks.flatMap(({ key, phase }, i): Finding[] =>
    known.includes(phase)
      ? []
      : [
          {
            code: 'UNKNOWN_REFERENCE',
            severity: 'error',
            path: `/tasks/${i}/phase`,
            message: `the task ${key} belongs to the phase ${JSON.stringify(clipped(phase))}, which is not there`,
            expected: clipped(listed(known)),
            found: clipped(phase),
          },
        ],
  )
}

function contentOf(runPackage: RunPackage, draft: WorkflowDraft): WorkflowContent {
  const { title, purpose, audience, style } = workflowSpecificationOf(runPackage)
  return {
    kind: 'workflow',
    schemaVersion: workflowSchemaVersion,
    id: workflowId(runPackage),
    version: '1',
    metadata: { title, purpose, audience, style },
    summary: draft.summary,
    form: draft.form,
    roles: draft.roles.map(identified),
    inputs: draft.inputs.map(identified),
    phases: placedPhases(draft),
    modules: draft.modules.map(identified),
  }
}

const identified = <T extends { key: string }>({ key, ...rest }: T) => ({ id: key, ...rest })

/** The phases of a draft, each with its tasks. */
export function placedPhases({ phases, tasks }: PhasesAndTasks): WorkflowPhase[] {
  // A phase that is named twice holds its tasks once; the validator says what is wrong with it.
  const placed = new Set<string>()
  const tasksOf = (phase: string) => {
    if (placed.has(phase)) return []
    placed.add(phase)
    return tasks
      .filter((task) => task.phase === phase)
      .map(({ key, name, role, steps, inputs, outputs, done, note }) => ({
        ...{ id: key, name, role, steps, inputs, done, note },
        outputs: outputs.map(identified),
      }))
  }
  return phases.map((phase) => ({ ...identified(phase), tasks: tasksOf(phase.key) }))
}
